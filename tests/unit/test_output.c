/* Writing to descriptors that fail. */
#include "cli/output.c"
#include "support/check.h"

#include <fcntl.h>
#include <signal.h>

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
    RUN(test_full_disk);
    RUN(test_reader_gone);
    return check_done();
}
