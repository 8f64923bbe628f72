/* Compiled modules, kept in the user's cache folder. Only what this program has compiled itself is ever
 * loaded: the folder belongs to the user alone (0700), and a name holds the SHA-256 of the module, and one
 * over runtime, limits and processor, which the compiled code depends on. */
#include "base/sha256.h"
#include "wasm/worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool make_folder(const char *path) {
    struct stat s;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return false;
    }
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static fsim_status open_folder(const char *path, fsim_error *err) {
    char part[PATH_SIZE];
    struct stat s;
    for (size_t i = 1; path[i] != '\0' && i < sizeof part - 1; i++) {
        if (path[i] == '/') {
            memcpy(part, path, i);
            part[i] = '\0';
            make_folder(part);
        }
    }
    if (!make_folder(path) || stat(path, &s) != 0) {
        return fsim_fail_at(err, FSIM_EIO, path, "cannot make this folder for compiled modules: %s",
                            strerror(errno));
    }
    if (s.st_uid != geteuid() || (s.st_mode & 077) != 0) {
        return fsim_fail_at(err, FSIM_EIO, path,
                            "compiled modules are native code: this folder must be yours alone (chmod 700)");
    }
    return FSIM_OK;
}

/* The processor and what it can do: compiled code is for this one. */
static void describe_processor(char *out, size_t size) {
    char line[4096];
    FILE *f = fopen("/proc/cpuinfo", "r");
    size_t held = 0;
    out[0] = '\0';
    while (f != NULL && fgets(line, sizeof line, f) != NULL && line[0] != '\n') {
        bool tells = strncmp(line, "model name", 10) == 0 || strncmp(line, "flags", 5) == 0 ||
                     strncmp(line, "Features", 8) == 0 || strncmp(line, "CPU part", 8) == 0;
        if (tells && held < size) {
            held += (size_t)snprintf(out + held, size - held, "%s", line);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void hash(const void *bytes, size_t size, char hex[65]) {
    fsim_sha256 s;
    fsim_sha256_begin(&s);
    fsim_sha256_add(&s, bytes, size);
    fsim_sha256_end(&s, hex);
}

static fsim_status write_file(const char *path, const uint8_t *bytes, size_t size, fsim_error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < size) {
        ssize_t n = write(fd, bytes + done, size - done);
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    if (fd < 0 || close(fd) != 0 || done < size) {
        return fsim_fail_at(err, FSIM_EIO, path, "cannot write: %s", strerror(errno));
    }
    return FSIM_OK;
}

/* Runs the compiler in a child with limits; `why` comes back through a pipe. */
static fsim_status compile(const worker *w, const char *module, const char *out,
                           const fsim_wasm_module *about, fsim_error *err) {
    int report[2];
    char why[WHY_MAX] = "";
    int status = 0;
    pid_t self = getpid();
    if (pipe2(report, O_CLOEXEC) != 0) {
        return fsim_fail(err, FSIM_ELIMIT, "no pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child == 0) {
        backend_limits limits = {w->limits.bounds.memory_pages, w->limits.bounds.table_entries};
        sandbox_enter_compiler(w->limits.compile_ns, self);
        bool ok = backend_compile(module, out, about, &limits, why);
        if (!ok) {
            ssize_t written = write(report[1], why, strlen(why));
            _exit(written >= 0 ? 1 : 2);
        }
        _exit(0);
    }
    close(report[1]);
    ssize_t n = child < 0 ? 0 : read(report[0], why, sizeof why - 1);
    close(report[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    why[n > 0 ? n : 0] = '\0';
    if (child < 0) {
        return fsim_fail(err, FSIM_ELIMIT, "no process for the compiler: %s", strerror(errno));
    }
    if (WIFSIGNALED(status)) {
        return fsim_fail(err, FSIM_ELIMIT,
                         "the compiler was stopped by signal %d (%s); its limit is %.0f s of CPU time",
                         WTERMSIG(status), strsignal(WTERMSIG(status)), fsim_ns_to_s(w->limits.compile_ns));
    }
    return WEXITSTATUS(status) == 0 ? FSIM_OK
                                    : fsim_fail(err, FSIM_EDATA, "the module does not compile: %s", why);
}

fsim_status cache_get(cache_entry *out, const worker *w, const uint8_t *bytes, size_t size,
                      const fsim_wasm_module *about, bool again, fsim_error *err) {
    char key[16384], key_hex[65], draft[PATH_SIZE + 32];
    struct stat s;
    *out = (cache_entry){.compile_ns = 0};
    FSIM_TRY(open_folder(w->cache, err));
    int held = snprintf(key, sizeof key, "%s\n%u %u\n", w->runtime, w->limits.bounds.memory_pages,
                        w->limits.bounds.table_entries);
    describe_processor(key + held, sizeof key - (size_t)held);
    /* Names begin with a letter: wasm2c makes a macro of them. */
    hash(key, strlen(key), key_hex);
    hash(bytes, size, out->sha256);
    int n = snprintf(out->path, sizeof out->path, "%s/m%s-%.16s.%s", w->cache, out->sha256, key_hex,
                     backend_suffix);
    int m = snprintf(out->module, sizeof out->module, "%s/m%s.module", w->cache, out->sha256);
    if (n >= (int)sizeof out->path || m >= (int)sizeof out->module) {
        return fsim_fail_at(err, FSIM_EIO, w->cache, "the path is too long");
    }
    if (again || stat(out->path, &s) != 0) {
        snprintf(draft, sizeof draft, "%s.%ld.tmp", out->path, (long)getpid());
        FSIM_TRY(write_file(out->module, bytes, size, err));
        fsim_ns began_ns = now_ns();
        fsim_status status = compile(w, out->module, draft, about, err);
        out->compile_ns = now_ns() - began_ns;
        if (status != FSIM_OK || rename(draft, out->path) != 0) {
            unlink(draft);
            return status != FSIM_OK ? status : fsim_fail_at(err, FSIM_EIO, out->path, "%s", strerror(errno));
        }
        int fd = open(out->path, O_RDONLY | O_CLOEXEC); /* pages that are clean can leave the page cache */
        if (fd >= 0) {
            fsync(fd);
            close(fd);
        }
    }
    if (stat(out->path, &s) != 0) {
        return fsim_fail_at(err, FSIM_EIO, out->path, "%s", strerror(errno));
    }
    out->bytes = (uint64_t)s.st_size;
    return FSIM_OK;
}
