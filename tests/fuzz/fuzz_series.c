/* Any bytes as a metric series, CSV or (from a brace on) JSON: refused with a place and a message, or rows
 * that keep their promises, which a scaler can be driven with. */
#include "io/policy_load.h"
#include "io/series_columns.h"
#include "model/decide.h"
#include "support/fuzz_input.h"

#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_series(const fsim_metric_series *s) {
    fsim_assert(s->rows > 0);
    for (size_t row = 0; row < s->rows; row++) {
        fsim_assert(row == 0 || s->at_ns[row] > s->at_ns[row - 1]);
        for (int i = 0; i < FSIM_INPUTS; i++) {
            fsim_assert(s->values[i] == NULL || (isfinite(s->values[i][row]) && s->values[i][row] >= 0));
        }
    }
}

static fsim_status no_more(void *user, const fsim_decide_row *row, fsim_error *err) {
    uint32_t *rows = user;
    fsim_assert(row->decision->want == row->desired);
    return ++*rows < 1000 ? FSIM_OK : fsim_fail(err, FSIM_ENO, "enough");
}

static void drive(const fsim_metric_series *series) {
    fsim_scenario *scenario = NULL;
    fsim_error err = {0};
    fsim_status status = fsim_policy_load(&scenario, "knative", NULL, 0, &err);
    fsim_assert(status == FSIM_OK);
    const fsim_decide_setup setup = {.ops = scenario->scaling,
                                     .params = scenario->scaling_params,
                                     .fn = fsim_function_table_get(scenario->functions, scenario->default_fn),
                                     .ready_after_ns = 2 * FSIM_SECOND,
                                     .series = "fuzz"};
    uint32_t rows = 0;
    status = fsim_decide(series, &setup, no_more, &rows, &err);
    fuzz_check_error(status, &err);
    fsim_scenario_destroy(scenario);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int file = memfd_create("fuzz.series", 0);
    fsim_assert(file >= 0);
    fsim_assert(write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const fsim_series_options options = {.value_is = FSIM_INPUT_CONCURRENCY};
    fsim_series_builder builder = {0};
    fsim_metric_series series = {0};
    fsim_error err = {0};
    fsim_status status;
    if (size > 0 && data[0] == '{') {
        status = fsim_series_read_json(&builder, path, &options, &err);
        series = builder.series;
    } else {
        status = fsim_series_read(&series, path, &options, &err);
    }
    fuzz_check_error(status, &err);
    if (status == FSIM_OK) {
        check_series(&series);
        drive(&series);
    }
    fsim_metric_series_destroy(&series);
    close(file);
    return 0;
}
