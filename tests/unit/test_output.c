/* Writing to descriptors that fail, to folders that refuse, and to narrow terminals. */
#include "cli/output.c"
#include "cli/progress.c"
#include "io/file.h"
#include "support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

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

/* What mkdir said, and not that there is nothing to look at. As root nothing refuses: as nobody, then. */
static void test_folder_refuses(void) {
    enum { NOBODY = 65534 };
    char folder[] = "/tmp/fsim-output-XXXXXX", below[sizeof folder + 2];
    REQUIRE(mkdtemp(folder) != NULL && chmod(folder, 0555) == 0);
    snprintf(below, sizeof below, "%s/x", folder);
    uid_t me = geteuid();
    REQUIRE(me != 0 || seteuid(NOBODY) == 0);
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_file_make_directory(below, &err), FSIM_EIO);
    CHECK_CONTAINS(err.text, "Permission denied");
    CHECK_EQ_STR(err.place, below);
    REQUIRE(me != 0 || seteuid(me) == 0);
    CHECK_EQ_INT(fsim_file_make_directory(folder, &err), FSIM_OK);
    CHECK(rmdir(folder) == 0);
}

static void test_progress_line(void) {
    char line[256];
    fsim_progress_run runs[2] = {{.share = 0.5, .arrived = 1000000}, {.share = 0.25, .arrived = 500000}};
    fsim_progress progress = {.runs = runs, .count = 2};
    print_line(&progress, 3, 80, line, sizeof line);
    CHECK_EQ_STR(line, "fsim: [###########                   ]  38 %, 1,500,000 requests, 5.00 s left");
    print_line(&progress, 3, 60, line, sizeof line);
    CHECK_EQ_STR(line, "fsim: 38 %, 5.00 s left, 1,500,000 requests");
    print_line(&progress, 3, 24, line, sizeof line);
    CHECK_EQ_STR(line, "fsim: 38 %, 5.00 s left");
    runs[1] = (fsim_progress_run){.share = -1, .arrived = 500000};
    runs[0].now_ns = 90 * FSIM_SECOND;
    print_line(&progress, 3, 80, line, sizeof line);
    CHECK_EQ_STR(line, "fsim: 1,500,000 requests, 1 min 30 s simulated");
    print_line(&progress, 3, 1, line, sizeof line);
    CHECK_EQ_STR(line, "");
}

int main(void) {
    RUN(test_full_disk);
    RUN(test_folder_refuses);
    RUN(test_progress_line);
    RUN(test_reader_gone);
    return check_done();
}
