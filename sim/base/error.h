/* Errors as values. A function that can fail returns fsim_status and takes an fsim_error *err as its last
 * argument; err may be NULL. The first failure fills the record, later ones do not overwrite it. The library
 * never prints and never exits: only the command line turns a status into a message and an exit code. */
#ifndef FSIM_BASE_ERROR_H
#define FSIM_BASE_ERROR_H

#include <stdarg.h>
#include <stdint.h>

/* The values are the exit codes of the command (product contract, section 3). */
typedef enum fsim_status {
    FSIM_OK = 0,
    FSIM_ENO = 1,       /* a question answered no (--fail-if) */
    FSIM_EUSAGE = 2,    /* the command line */
    FSIM_ECONFIG = 3,   /* scenario, policy, price book */
    FSIM_EDATA = 4,     /* trace data */
    FSIM_EIO = 5,       /* file system */
    FSIM_ELIMIT = 6,    /* a named limit (base/limits.h) exceeded, or out of memory */
    FSIM_EINTERNAL = 70 /* a bug of ours */
} fsim_status;

/* One failure. `place` is where: "hello.csv:17:3", "scenario.json#/policy/keepalive/window", "--seed"; may be
 * empty. `text` is what was found and what was expected, one line without a final newline. */
typedef struct fsim_error {
    fsim_status status;
    char place[512];
    char text[512];
} fsim_error;

/* Fills err (unless it already holds a failure) and returns `status`. `place` may be NULL. */
fsim_status fsim_fail_at(fsim_error *err, fsim_status status, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
fsim_status fsim_fail(fsim_error *err, fsim_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__ /* cannot see through the variable arguments that the status comes back */
#define fsim_fail_at(err, status, ...) (fsim_fail_at(err, status, __VA_ARGS__), (status))
#define fsim_fail(err, status, ...)    (fsim_fail(err, status, __VA_ARGS__), (status))
#endif

/* Forward a failure. */
#define FSIM_TRY(expr)                                                                                       \
    do {                                                                                                     \
        fsim_status fsim_try_status_ = (expr);                                                               \
        if (fsim_try_status_ != FSIM_OK) {                                                                   \
            return fsim_try_status_;                                                                         \
        }                                                                                                    \
    } while (0)

/* A broken invariant is a bug of ours, never the user's input: prints where and aborts, in every build. */
#define fsim_assert(cond) ((cond) ? (void)0 : fsim_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void fsim_assert_failed(const char *condition, const char *file, int line);

/* The same inside hot loops: compiled out unless FSIM_CHECKS is defined (dev build). */
#ifdef FSIM_CHECKS
#define fsim_check(cond) fsim_assert(cond)
#else
#define fsim_check(cond) ((void)0)
#endif

#endif
