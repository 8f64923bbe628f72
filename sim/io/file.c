/* Files; see file.h. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static fsim_status fail_io(fsim_error *err, const char *path, const char *what) {
    return fsim_fail_at(err, FSIM_EIO, path, "%s: %s", what, strerror(errno));
}

fsim_status fsim_file_open(const char *path, FILE **out, fsim_error *err) {
    struct stat about;
    if (strcmp(path, "-") == 0) {
        *out = stdin;
        return FSIM_OK;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail_io(err, path, "cannot open the file");
    }
    if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
        fclose(file);
        return fsim_fail_at(err, FSIM_EIO, path, "is a directory, expected a file");
    }
    *out = file;
    return FSIM_OK;
}

void fsim_file_close(FILE *file) {
    if (file != NULL && file != stdin) {
        fclose(file);
    }
}

/* A copy of the first bytes of a pipe; how many. */
static ssize_t peek_pipe(int fd, void *bytes, size_t size) {
    int copy[2];
    if (pipe(copy) != 0) {
        return -1;
    }
    ssize_t got = tee(fd, copy[1], size, 0);
    got = got > 0 ? read(copy[0], bytes, (size_t)got) : got;
    close(copy[0]);
    close(copy[1]);
    return got;
}

size_t fsim_file_peek(const char *path, void *bytes, size_t size) {
    struct stat about;
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = -1;
    if (fd < 0 || fstat(fd, &about) != 0) {
        got = -1;
    } else if (S_ISREG(about.st_mode)) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        got = at < 0 ? -1 : pread(fd, bytes, size, at);
    } else if (is_stdin && S_ISFIFO(about.st_mode)) {
        got = peek_pipe(fd, bytes, size);
    } else if (is_stdin && S_ISSOCK(about.st_mode)) {
        got = recv(fd, bytes, size, MSG_PEEK);
    }
    if (fd >= 0 && !is_stdin) {
        close(fd);
    }
    return got > 0 ? (size_t)got : 0;
}

static fsim_status copy_stdin(FILE *to, fsim_error *err) {
    char bytes[65536];
    ssize_t got;
    do {
        got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got > 0 && fwrite(bytes, 1, (size_t)got, to) != (size_t)got) {
            return fail_io(err, "standard input", "cannot be kept in a temporary file");
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0) {
        return fail_io(err, "standard input", "cannot be read");
    }
    return fflush(to) == 0 ? FSIM_OK : fail_io(err, "standard input", "cannot be kept in a temporary file");
}

fsim_status fsim_file_keep_stdin(fsim_error *err) {
    struct stat about;
    if (fstat(STDIN_FILENO, &about) == 0 && S_ISREG(about.st_mode)) {
        return FSIM_OK;
    }
    FILE *kept = tmpfile();
    if (kept == NULL) {
        return fail_io(err, "standard input", "cannot be kept in a temporary file");
    }
    fsim_status status = copy_stdin(kept, err);
    if (status == FSIM_OK &&
        (lseek(fileno(kept), 0, SEEK_SET) != 0 || dup2(fileno(kept), STDIN_FILENO) < 0)) {
        status = fail_io(err, "standard input", "cannot be replaced");
    }
    fclose(kept); /* standard input holds it now */
    return status;
}

fsim_status fsim_file_take_stdin(const char *path, fsim_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0) {
        return fail_io(err, path, "cannot open the file");
    }
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return FSIM_OK;
}

fsim_status fsim_file_read_stream(FILE *file, const char *path, size_t max_bytes, char **bytes, size_t *size,
                                  fsim_error *err) {
    size_t capacity = 0, used = 0;
    char *buffer = NULL;
    for (;;) {
        if (capacity - used < 2) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            char *larger = realloc(buffer, capacity);
            if (larger == NULL) {
                free(buffer);
                return fsim_fail_at(err, FSIM_ELIMIT, path, "out of memory");
            }
            buffer = larger;
        }
        size_t got = fread(buffer + used, 1, capacity - used - 1, file);
        used += got;
        if (used > max_bytes) {
            free(buffer);
            return fsim_fail_at(err, FSIM_ELIMIT, path, "the file is larger than %zu bytes", max_bytes);
        }
        if (got == 0) {
            break;
        }
    }
    if (ferror(file)) {
        free(buffer);
        return fail_io(err, path, "cannot read the file");
    }
    buffer[used] = '\0';
    *bytes = buffer;
    *size = used;
    return FSIM_OK;
}

fsim_status fsim_file_read_all(const char *path, size_t max_bytes, char **bytes, size_t *size,
                               fsim_error *err) {
    FILE *file = NULL;
    FSIM_TRY(fsim_file_open(path, &file, err));
    fsim_status status = fsim_file_read_stream(file, path, max_bytes, bytes, size, err);
    fsim_file_close(file);
    return status;
}

fsim_status fsim_file_resolve(const char *base_dir, const char *path, char *out, size_t size,
                              fsim_error *err) {
    bool as_is = base_dir == NULL || base_dir[0] == '\0' || path[0] == '/' || strcmp(path, "-") == 0 ||
                 strcmp(base_dir, ".") == 0;
    int len = as_is ? snprintf(out, size, "%s", path) : snprintf(out, size, "%s/%s", base_dir, path);
    if (len < 0 || (size_t)len >= size) {
        return fsim_fail_at(err, FSIM_EIO, path, "the file name is too long");
    }
    return FSIM_OK;
}

void fsim_file_directory(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        snprintf(out, size, ".");
    } else {
        snprintf(out, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
}

fsim_status fsim_file_make_directory(const char *path, fsim_error *err) {
    char part[FSIM_PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part) {
        return fsim_fail_at(err, FSIM_EIO, path, "the directory name is too long");
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        struct stat about;
        if (mkdir(part, 0777) != 0) {
            int why = errno; /* and not why there is nothing to look at either */
            if (stat(part, &about) != 0 || !S_ISDIR(about.st_mode)) {
                errno = why;
                return fail_io(err, part, "cannot create the directory");
            }
        }
    }
    return FSIM_OK;
}

fsim_status fsim_file_create(fsim_file_draft *draft, const char *path, fsim_error *err) {
    draft->stream = NULL;
    int len = snprintf(draft->temporary, sizeof draft->temporary, "%s.%ld.part", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof draft->temporary) {
        return fsim_fail_at(err, FSIM_EIO, path, "the file name is too long");
    }
    snprintf(draft->path, sizeof draft->path, "%s", path);
    draft->stream = fopen(draft->temporary, "wb");
    return draft->stream == NULL ? fail_io(err, path, "cannot create the file") : FSIM_OK;
}

fsim_status fsim_file_commit(fsim_file_draft *draft, fsim_error *err) {
    bool failed = ferror(draft->stream) || fflush(draft->stream) != 0;
    int reason = errno;
    if (fclose(draft->stream) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    draft->stream = NULL;
    if (!failed && rename(draft->temporary, draft->path) == 0) {
        return FSIM_OK;
    }
    if (!failed) {
        reason = errno;
    }
    remove(draft->temporary);
    errno = reason;
    return fail_io(err, draft->path, "cannot write the file");
}

void fsim_file_abandon(fsim_file_draft *draft) {
    if (draft->stream != NULL) {
        fclose(draft->stream);
        draft->stream = NULL;
        remove(draft->temporary);
    }
}
