/* CPU that a trace brings along: a column that all batches have or none, whichever files have it
 * (arrivals.h). */
#include "support/check.h"
#include "trace/trace.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 1500 }; /* more than a batch */

static void write_table(const char *path, int from_s, bool with_cpu) {
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fprintf(f, "time_worker,funcName,userID,podID,runtimeCost%s\n", with_cpu ? ",cpu_usage" : "");
    for (int i = 0; i < ROWS; i++) {
        fprintf(f, "%d,f,u,pool22-300-128-0000000001,0.5%s\n", from_s + i, with_cpu ? ",0.02" : "");
    }
    REQUIRE(fclose(f) == 0);
}

/* Rows with CPU of their own; all batches must agree on whether there is such a column. */
static uint32_t count_rows(const char *const *paths, size_t count, bool has_cpu, uint32_t *own) {
    static fsim_arrivals batch;
    fsim_trace_options options;
    fsim_trace *trace = NULL;
    fsim_error err = {0};
    uint32_t rows = 0;
    fsim_trace_options_default(&options);
    *own = 0;
    REQUIRE(fsim_trace_open(&trace, &options, NULL, paths, count, &err) == FSIM_OK);
    do {
        REQUIRE(fsim_trace_next(trace, &batch, &err) == FSIM_OK);
        CHECK(batch.count == 0 || batch.has_cpu == has_cpu);
        for (uint32_t i = 0; i < batch.count && batch.has_cpu; i++) {
            *own += batch.cpu_ns[i] == 10 * FSIM_MS;
        }
        rows += batch.count;
    } while (batch.count > 0);
    fsim_trace_close(trace);
    return rows;
}

static void test_all_batches_have_the_column_or_none(void) {
    char first[] = "/tmp/fsim-test-XXXXXX", second[] = "/tmp/fsim-test-XXXXXX";
    const char *const both[] = {first, second};
    uint32_t own;
    int fd = mkstemp(first), other = mkstemp(second);
    REQUIRE(fd >= 0 && other >= 0);
    close(fd);
    close(other);
    write_table(first, 0, false);
    write_table(second, ROWS, true);
    CHECK_EQ_INT(count_rows(&both[0], 1, false, &own), ROWS);
    CHECK_EQ_INT(own, 0);
    CHECK_EQ_INT(count_rows(&both[1], 1, true, &own), ROWS);
    CHECK_EQ_INT(own, ROWS);
    CHECK_EQ_INT(count_rows(both, 2, true, &own), 2 * ROWS);
    CHECK_EQ_INT(own, ROWS);
    unlink(first);
    unlink(second);
}

int main(void) {
    RUN(test_all_batches_have_the_column_or_none);
    return check_done();
}
