/* Bytes of a file, packed or not; see input.h. */
#include "io/input.h"

#include "base/limits.h"
#include "io/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES 131072u
#define LINE_BYTES   262144u

typedef enum packing { PLAIN, GZIP, ZSTD } packing;

struct fsim_input {
    FILE *file;
    char *name;
    packing packing;
    bool at_end;                      /* of the file */
    bool in_member;                   /* packed data go on: an end here is too early */
    uint64_t read_bytes, total_bytes; /* of the file; total 0: unknown */
    unsigned char *packed;
    size_t used, filled;
    z_stream gzip;
    bool gzip_open;
    ZSTD_DStream *zstd;
};

static fsim_status out_of_memory(const fsim_input *in, fsim_error *err) {
    return fsim_fail_at(err, FSIM_ELIMIT, in->name, "out of memory");
}

static fsim_status read_file(fsim_input *in, void *bytes, size_t size, size_t *got, fsim_error *err) {
    ssize_t n;
    do {
        n = read(fileno(in->file), bytes, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fsim_fail_at(err, FSIM_EIO, in->name, "cannot read the file: %s", strerror(errno));
    }
    *got = (size_t)n;
    in->read_bytes += (uint64_t)n;
    in->at_end = n == 0;
    return FSIM_OK;
}

/* Reads on until `least` packed bytes are at hand or the file has ended. */
static fsim_status refill(fsim_input *in, size_t least, fsim_error *err) {
    memmove(in->packed, in->packed + in->used, in->filled - in->used);
    in->filled -= in->used;
    in->used = 0;
    while (in->filled < least && !in->at_end) {
        size_t got = 0;
        FSIM_TRY(read_file(in, in->packed + in->filled, PACKED_BYTES - in->filled, &got, err));
        in->filled += got;
    }
    return FSIM_OK;
}

static packing packing_of(const void *bytes, size_t size) {
    return size >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0           ? GZIP
           : size >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0 ? ZSTD
                                                                    : PLAIN;
}

static fsim_status detect(fsim_input *in, fsim_error *err) {
    FSIM_TRY(refill(in, 4, err));
    in->packing = packing_of(in->packed, in->filled);
    if (in->packing == GZIP) {
        in->gzip_open = inflateInit2(&in->gzip, MAX_WBITS + 16) == Z_OK;
        return in->gzip_open ? FSIM_OK : out_of_memory(in, err);
    }
    if (in->packing == ZSTD) {
        in->zstd = ZSTD_createDStream();
        return in->zstd != NULL ? FSIM_OK : out_of_memory(in, err);
    }
    return FSIM_OK;
}

fsim_status fsim_input_open(fsim_input **out, const char *path, fsim_error *err) {
    struct stat about;
    fsim_input *in = calloc(1, sizeof *in);
    *out = NULL;
    if (in == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    bool is_stdin = strcmp(path, "-") == 0 || strcmp(path, FSIM_STDIN_PATH) == 0;
    in->name = strdup(is_stdin ? "standard input" : path);
    in->packed = malloc(PACKED_BYTES);
    fsim_status status = in->name == NULL || in->packed == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                                                                : fsim_file_open(path, &in->file, err);
    if (status == FSIM_OK) {
        if (fstat(fileno(in->file), &about) == 0 && S_ISREG(about.st_mode)) {
            in->total_bytes = (uint64_t)about.st_size;
        }
        status = detect(in, err);
    }
    if (status != FSIM_OK) {
        fsim_input_close(in);
        return status;
    }
    *out = in;
    return FSIM_OK;
}

void fsim_input_close(fsim_input *in) {
    if (in == NULL) {
        return;
    }
    if (in->gzip_open) {
        inflateEnd(&in->gzip);
    }
    ZSTD_freeDStream(in->zstd);
    fsim_file_close(in->file);
    free(in->packed);
    free(in->name);
    free(in);
}

static fsim_status fail_early(const fsim_input *in, fsim_error *err) {
    return fsim_fail_at(err, FSIM_EDATA, in->name, "the %s data end too early: the file is cut off",
                        in->packing == GZIP ? "gzip" : "zstd");
}

static fsim_status fail_damaged(const fsim_input *in, const char *why, fsim_error *err) {
    return fsim_fail_at(err, FSIM_EDATA, in->name, "damaged %s data: %s",
                        in->packing == GZIP ? "gzip" : "zstd", why == NULL ? "wrong contents" : why);
}

static fsim_status step_gzip(fsim_input *in, void *bytes, size_t size, size_t *got, fsim_error *err) {
    in->gzip.next_in = in->packed + in->used;
    in->gzip.avail_in = (uInt)(in->filled - in->used);
    in->gzip.next_out = bytes;
    in->gzip.avail_out = (uInt)size;
    int result = inflate(&in->gzip, Z_NO_FLUSH);
    in->used = in->filled - in->gzip.avail_in;
    *got = size - in->gzip.avail_out;
    in->in_member = result != Z_STREAM_END;
    if (result == Z_STREAM_END) {
        return inflateReset(&in->gzip) == Z_OK ? FSIM_OK : out_of_memory(in, err); /* another may follow */
    }
    return result == Z_OK || result == Z_BUF_ERROR ? FSIM_OK : fail_damaged(in, in->gzip.msg, err);
}

static fsim_status step_zstd(fsim_input *in, void *bytes, size_t size, size_t *got, fsim_error *err) {
    ZSTD_inBuffer from = {in->packed + in->used, in->filled - in->used, 0};
    ZSTD_outBuffer to = {bytes, size, 0};
    size_t result = ZSTD_decompressStream(in->zstd, &to, &from);
    if (ZSTD_isError(result)) {
        return fail_damaged(in, ZSTD_getErrorName(result), err);
    }
    in->used += from.pos;
    *got = to.pos;
    in->in_member = result != 0;
    return FSIM_OK;
}

fsim_status fsim_input_read(fsim_input *in, void *bytes, size_t size, size_t *got, fsim_error *err) {
    *got = 0;
    if (in->packing == PLAIN) {
        if (in->used == in->filled) {
            return read_file(in, bytes, size, got, err);
        }
        *got = in->filled - in->used < size ? in->filled - in->used : size;
        memcpy(bytes, in->packed + in->used, *got);
        in->used += *got;
        return FSIM_OK;
    }
    size = size > (1u << 30) ? 1u << 30 : size;
    while (*got == 0) {
        if (in->used == in->filled) {
            FSIM_TRY(refill(in, 1, err));
        }
        bool dry = in->used == in->filled;
        if (dry && !in->in_member) {
            return FSIM_OK;
        }
        size_t before = in->used;
        FSIM_TRY(in->packing == GZIP ? step_gzip(in, bytes, size, got, err)
                                     : step_zstd(in, bytes, size, got, err));
        if (dry && *got == 0 && in->used == before && in->in_member) {
            return fail_early(in, err);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_input_read_all(const char *path, size_t max_bytes, char **bytes, size_t *size,
                                fsim_error *err) {
    fsim_input *in = NULL;
    size_t capacity = 65536, got = 1;
    *bytes = NULL;
    *size = 0;
    FSIM_TRY(fsim_input_open(&in, path, err));
    fsim_status status = FSIM_OK;
    while (status == FSIM_OK && got > 0) {
        capacity = capacity - *size < 65536 ? 2 * capacity : capacity;
        char *larger = realloc(*bytes, capacity + 1);
        *bytes = larger != NULL ? larger : *bytes;
        status = larger == NULL ? out_of_memory(in, err)
                                : fsim_input_read(in, *bytes + *size, capacity - *size, &got, err);
        *size += status == FSIM_OK ? got : 0;
        if (*size > max_bytes) {
            status = fsim_fail_at(err, FSIM_ELIMIT, in->name, "the file is larger than %zu bytes", max_bytes);
        }
    }
    fsim_input_close(in);
    if (status != FSIM_OK) {
        free(*bytes);
        *bytes = NULL;
        return status;
    }
    (*bytes)[*size] = '\0';
    return FSIM_OK;
}

/* --- looking ahead --- */

/* Where a regular file can be opened beside whoever reads it; NULL: it is none, or not packed. */
static const char *packed_path(const char *path) {
    char magic[4];
    struct stat about;
    size_t got = fsim_file_peek(path, magic, sizeof magic);
    path = strcmp(path, "-") == 0 ? FSIM_STDIN_PATH : path;
    bool packed = packing_of(magic, got) != PLAIN && stat(path, &about) == 0 && S_ISREG(about.st_mode);
    return packed ? path : NULL;
}

size_t fsim_input_peek(const char *path, void *bytes, size_t size) {
    const char *packed = packed_path(path);
    fsim_input *in = NULL;
    fsim_error ignored = {0};
    size_t filled = packed == NULL ? fsim_file_peek(path, bytes, size) : 0, got = 1;
    if (packed == NULL) {
        return packing_of(bytes, filled) == PLAIN ? filled : 0;
    }
    if (fsim_input_open(&in, packed, &ignored) == FSIM_OK) {
        while (filled < size && got > 0 &&
               fsim_input_read(in, (char *)bytes + filled, size - filled, &got, &ignored) == FSIM_OK) {
            filled += got;
        }
    }
    fsim_input_close(in);
    return filled;
}

static fsim_status copy_to(FILE *to, fsim_input *in, fsim_error *err) {
    char bytes[65536];
    size_t got = 1;
    while (got > 0) {
        FSIM_TRY(fsim_input_read(in, bytes, sizeof bytes, &got, err));
        if (fwrite(bytes, 1, got, to) != got) {
            break;
        }
    }
    return got == 0 && fflush(to) == 0 && fseek(to, 0, SEEK_SET) == 0
               ? FSIM_OK
               : fsim_fail_at(err, FSIM_EIO, in->name, "cannot be unpacked into a temporary file: %s",
                              strerror(errno));
}

fsim_status fsim_input_unpack(const char *path, FILE **out, fsim_error *err) {
    const char *packed = packed_path(path);
    fsim_input *in = NULL;
    *out = NULL;
    if (packed == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_input_open(&in, packed, err));
    FILE *to = tmpfile();
    fsim_status status = to != NULL
                             ? copy_to(to, in, err)
                             : fsim_fail_at(err, FSIM_EIO, in->name,
                                            "cannot be unpacked into a temporary file: %s", strerror(errno));
    fsim_input_close(in);
    if (status != FSIM_OK && to != NULL) {
        fclose(to);
    }
    *out = status == FSIM_OK ? to : NULL;
    return status;
}

fsim_status fsim_input_keep_packed_stdin(fsim_error *err) {
    char magic[4];
    size_t got = fsim_file_peek("-", magic, sizeof magic);
    return packing_of(magic, got) == PLAIN ? FSIM_OK : fsim_file_keep_stdin(err);
}

const char *fsim_input_name(const fsim_input *in) {
    return in->name;
}

double fsim_input_progress(const fsim_input *in) {
    uint64_t done = in->read_bytes - (in->filled - in->used);
    return in->total_bytes == 0 ? -1.0 : (double)done / (double)in->total_bytes;
}

/* --- lines --- */

struct fsim_lines {
    fsim_input *input;
    char *bytes; /* LINE_BYTES + 1 */
    size_t used, filled;
    bool at_end, begun;
    unsigned long long number;
};

fsim_status fsim_lines_open(fsim_lines **out, const char *path, fsim_error *err) {
    fsim_lines *l = calloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL || (l->bytes = malloc(LINE_BYTES + 1u)) == NULL) {
        free(l);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = fsim_input_open(&l->input, path, err);
    if (status != FSIM_OK) {
        fsim_lines_close(l);
        return status;
    }
    *out = l;
    return FSIM_OK;
}

void fsim_lines_close(fsim_lines *l) {
    if (l != NULL) {
        fsim_input_close(l->input);
        free(l->bytes);
        free(l);
    }
}

static fsim_status more_bytes(fsim_lines *l, fsim_error *err) {
    size_t got = 0;
    memmove(l->bytes, l->bytes + l->used, l->filled - l->used);
    l->filled -= l->used;
    l->used = 0;
    FSIM_TRY(fsim_input_read(l->input, l->bytes + l->filled, LINE_BYTES - l->filled, &got, err));
    l->filled += got;
    l->at_end = got == 0;
    if (!l->begun && (l->filled >= 3 || l->at_end)) {
        l->begun = true;
        l->used = l->filled >= 3 && memcmp(l->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    }
    return FSIM_OK;
}

fsim_status fsim_lines_next(fsim_lines *l, char **line, size_t *len, fsim_error *err) {
    char *end = NULL;
    *line = NULL;
    *len = 0;
    while (!l->begun || (end = memchr(l->bytes + l->used, '\n', l->filled - l->used)) == NULL) {
        if (l->at_end) {
            break;
        }
        if (l->filled - l->used == LINE_BYTES) {
            l->number++;
            return fsim_lines_fail(l, FSIM_LINE_MAX, err, "the line is longer than %d bytes", FSIM_LINE_MAX);
        }
        FSIM_TRY(more_bytes(l, err));
    }
    if (l->used == l->filled) {
        return FSIM_OK;
    }
    *line = l->bytes + l->used;
    *len = end == NULL ? l->filled - l->used : (size_t)(end - *line);
    l->used += *len + (end != NULL);
    l->number++;
    *len -= *len > 0 && (*line)[*len - 1] == '\r';
    (*line)[*len] = '\0';
    return FSIM_OK;
}

unsigned long long fsim_lines_number(const fsim_lines *l) {
    return l->number;
}

fsim_status fsim_lines_fail(const fsim_lines *l, size_t column, fsim_error *err, const char *fmt, ...) {
    char place[512], text[512];
    va_list args;
    snprintf(place, sizeof place, "%.460s:%llu:%zu", fsim_input_name(l->input), l->number, column);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fsim_fail_at(err, FSIM_EDATA, place, "%s", text);
}

double fsim_lines_progress(const fsim_lines *l) {
    return fsim_input_progress(l->input);
}
