/* Numbers of the row writers, and writing to descriptors that fail. */
#include "cli/output.c"
#include "support/check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>

static void test_digits(void) {
    static const uint64_t values[] = {
        0, 1, 9, 10, 99, 100, 101, 999, 1000, 12345, 4294967295u, 10000000000u, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[24] = "", expected[24];
        *fsim_output_digits(text, values[i]) = '\0';
        snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
        CHECK_EQ_STR(text, expected);
    }
}

static void test_fixed(void) {
    static const struct {
        int64_t value;
        int places;
        const char *text;
    } rows[] = {
        {0, 9, "0"},
        {1, 9, "0.000000001"},
        {1500000, 6, "1.5"},
        {1000000, 6, "1"},
        {1000001, 6, "1.000001"},
        {120, 1, "12"},
        {125, 1, "12.5"},
        {999999999, 9, "0.999999999"},
        {INT64_MAX, 9, "9223372036.854775807"},
        {INT64_MAX, 6, "9223372036854.775807"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32] = "";
        *fsim_output_fixed(text, rows[i].value, rows[i].places) = '\0';
        CHECK_EQ_STR(text, rows[i].text);
    }
}

static void test_full_disk(void) {
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        SKIP("there is no /dev/full here");
    }
    bool closed = false;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_output_write(full, "x", 1, "the place", &closed, &err), FSIM_EIO);
    CHECK_EQ_STR(err.place, "the place");
    CHECK_CONTAINS(err.text, "No space left");
    CHECK(!closed);
    close(full);
}

static void test_reader_gone(void) {
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    bool closed = false;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_output_write(ends[1], "x", 1, "the place", &closed, &err), FSIM_OK);
    CHECK(closed);
    close(ends[1]);
}

int main(void) {
    RUN(test_digits);
    RUN(test_fixed);
    RUN(test_full_disk);
    RUN(test_reader_gone);
    return check_done();
}
