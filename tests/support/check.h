/* A test harness in one header. A test program is functions named test_<what> and a main:
 *
 *     static void test_empty(void) { CHECK_EQ_INT(fsim_thing_count(&thing), 0); }
 *     int main(void) { RUN(test_empty); return check_done(); }
 *
 * A failed check prints where it stands, what was compared and both values, and the test goes on, so that one
 * run shows every failure. REQUIRE gives up the current test instead: for conditions without which the rest
 * would crash. Arguments are evaluated once. CHECK_ONLY=<part> in the environment runs only the tests whose
 * name contains it. SKIP(reason) leaves the test and prints why. Inside a loop over cases, check_context("%s
 * row %d", …) names the case in the messages of the checks that follow. */
#ifndef FSIM_TESTS_CHECK_H
#define FSIM_TESTS_CHECK_H

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_MAYBE_UNUSED __attribute__((unused))

static struct {
    int passed, failed, skipped; /* tests */
    int failures;                /* failed checks in the current test */
    bool skip;
    char context[256];
    jmp_buf leave;
} check_state;

__attribute__((format(printf, 1, 2))) CHECK_MAYBE_UNUSED static void check_context(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(check_state.context, sizeof check_state.context, fmt, args);
    va_end(args);
}

__attribute__((format(printf, 3, 4))) CHECK_MAYBE_UNUSED static void check_fail(const char *file, int line,
                                                                                const char *fmt, ...) {
    va_list args;
    check_state.failures++;
    printf("%s:%d: ", file, line);
    if (check_state.context[0] != '\0') {
        printf("[%s] ", check_state.context);
    }
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

CHECK_MAYBE_UNUSED static bool check_true(bool ok, const char *expr, const char *file, int line) {
    if (!ok) {
        check_fail(file, line, "%s is false", expr);
    }
    return ok;
}

CHECK_MAYBE_UNUSED static bool check_int(int64_t a, int64_t b, const char *ea, const char *eb,
                                         const char *file, int line) {
    if (a != b) {
        check_fail(file, line, "%s = %" PRId64 ", expected %s = %" PRId64, ea, a, eb, b);
    }
    return a == b;
}

CHECK_MAYBE_UNUSED static bool check_str(const char *a, const char *b, const char *ea, const char *file,
                                         int line) {
    bool same = a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
    if (!same) {
        check_fail(file, line, "%s is\n    \"%s\"\n  expected\n    \"%s\"", ea, a == NULL ? "(null)" : a,
                   b == NULL ? "(null)" : b);
    }
    return same;
}

CHECK_MAYBE_UNUSED static bool check_near(double a, double b, double tol, const char *ea, const char *eb,
                                          const char *file, int line) {
    bool near = fabs(a - b) <= tol; /* false for NaN */
    if (!near) {
        check_fail(file, line, "%s = %.17g, expected %s = %.17g within %g (off by %g)", ea, a, eb, b, tol,
                   a - b);
    }
    return near;
}

CHECK_MAYBE_UNUSED static void check_contains(const char *text, const char *part, const char *et,
                                              const char *file, int line) {
    if (text == NULL || strstr(text, part) == NULL) {
        check_fail(file, line, "%s is\n    \"%s\"\n  expected to contain\n    \"%s\"", et,
                   text == NULL ? "(null)" : text, part);
    }
}

/* Each yields whether it held. `actual` first, `expected` second. Integers up to INT64_MAX. */
#define CHECK(cond) check_true((cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ_INT(actual, expected)                                                                       \
    check_int((int64_t)(actual), (int64_t)(expected), #actual, #expected, __FILE__, __LINE__)
#define CHECK_EQ_STR(actual, expected) check_str((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_NEAR(actual, expected, tol)                                                                    \
    check_near((double)(actual), (double)(expected), (double)(tol), #actual, #expected, __FILE__, __LINE__)
#define CHECK_CONTAINS(text, part) check_contains((text), (part), #text, __FILE__, __LINE__)
#define REQUIRE(cond)              (CHECK(cond) ? (void)0 : longjmp(check_state.leave, 1))
#define SKIP(reason)               (printf("skip: %s\n", (reason)), check_state.skip = true, longjmp(check_state.leave, 1))

CHECK_MAYBE_UNUSED static void check_run(const char *name, void (*test)(void)) {
    check_state.failures = 0;
    check_state.skip = false;
    check_state.context[0] = '\0';
    if (setjmp(check_state.leave) == 0) {
        test();
    }
    const char *word = check_state.failures > 0 ? "FAIL" : check_state.skip ? "skip" : "ok";
    check_state.failed += check_state.failures > 0;
    check_state.skipped += check_state.failures == 0 && check_state.skip;
    check_state.passed += check_state.failures == 0 && !check_state.skip;
    printf("%-4s %s\n", word, name);
    fflush(stdout);
}

/* CHECK_ONLY: only the tests whose name contains it. */
CHECK_MAYBE_UNUSED static bool check_wanted(const char *name) {
    const char *only = getenv("CHECK_ONLY");
    return only == NULL || strstr(name, only) != NULL;
}

#define RUN(test) (check_wanted(#test) ? check_run(#test, test) : (void)0)

/* The exit status of the program: 0 all held, 1 a failure, 77 everything was skipped (ctest:
 * SKIP_RETURN_CODE). */
CHECK_MAYBE_UNUSED static int check_done(void) {
    printf("%d passed, %d failed, %d skipped\n", check_state.passed, check_state.failed, check_state.skipped);
    if (check_state.failed > 0) {
        return 1;
    }
    return check_state.passed == 0 && check_state.skipped > 0 ? 77 : 0;
}

#endif
