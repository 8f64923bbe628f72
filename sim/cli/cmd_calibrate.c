/* fsim calibrate: runs a Wasm module for real and writes what it measured as a profile that scenarios can
 * use. */
#include "cli/calibration.h"
#include "cli/output.h"
#include "cli/wasm_options.h"
#include "io/file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct calibrate_values {
    fsim_wasm_values wasm;
    int64_t calls, instances, starts;
    const char *out;
    int format;
    bool plot, quiet;
} calibrate_values;

static const char *const formats[] = {"text", "json", NULL};

static const fsim_option options[] = {
    {.name = "calls",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(calibrate_values, calls),
     .operand = "N",
     .help = "warm calls to measure (default 1000)",
     .min = 2,
     .max = 10000000},
    {.name = "starts",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(calibrate_values, starts),
     .operand = "N",
     .help = "starts from the zygote to measure (default 200)",
     .min = 2,
     .max = 1000000},
    {.name = "instances",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(calibrate_values, instances),
     .operand = "N",
     .help = "live instances to go up to (default 5000)",
     .min = 1,
     .max = 1000000},
    FSIM_OPTION_ROWS_WASM(calibrate_values),
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(calibrate_values, out),
     .operand = "FILE",
     .help = "the profile (default results/<module>.profile.json)"},
    {.name = "plot",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(calibrate_values, plot),
     .help = "a picture of samples and fits beside the profile (gnuplot)"},
    {.name = "format",
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(calibrate_values, format),
     .operand = "FORMAT",
     .help = "form of the output",
     .choices = formats},
    {.name = "quiet",
     .letter = 'q',
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(calibrate_values, quiet),
     .help = "nothing on stderr but errors"},
    {.name = NULL},
};

static fsim_status place(const calibrate_values *values, const char *module, char *out, size_t size,
                         fsim_error *err) {
    if (values->out != NULL) {
        return snprintf(out, size, "%s", values->out) < (int)size
                   ? FSIM_OK
                   : fsim_fail_at(err, FSIM_EIO, values->out, "the path is too long");
    }
    const char *base = strrchr(module, '/') != NULL ? strrchr(module, '/') + 1 : module;
    snprintf(out, size, "results/%.*s.profile.json",
             (int)(strcspn(base, ".") < 200 ? strcspn(base, ".") : 200), base);
    return fsim_file_make_directory("results", err);
}

static fsim_status write_profile(const json_t *profile, const char *path, fsim_error *err) {
    fsim_file_draft draft = {.stream = NULL};
    FSIM_TRY(fsim_file_create(&draft, path, err));
    json_dumpf(profile, draft.stream, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', draft.stream);
    return fsim_file_commit(&draft, err);
}

static fsim_status print(const fsim_calibration *c, const json_t *profile, bool json, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    if (json) {
        json_dumpf(profile, output.stream, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        fputc('\n', output.stream);
    } else {
        fsim_calibration_print(c, profile, output.stream);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

static fsim_status finish(const fsim_calibration *c, const calibrate_values *values, const char *path,
                          fsim_error *err) {
    json_t *profile = fsim_calibration_json(c);
    if (profile == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = write_profile(profile, path, err);
    if (status == FSIM_OK && values->plot) {
        status = fsim_calibration_plot(c, path, err);
    }
    if (status == FSIM_OK) {
        status = print(c, profile, values->format == 1, err);
    }
    json_decref(profile);
    if (status == FSIM_OK && !values->quiet) {
        fprintf(stderr, "fsim: profile in %s\n", path);
    }
    return status;
}

static fsim_status run_calibrate(const fsim_parsed *parsed, fsim_error *err) {
    const calibrate_values *values = parsed->values;
    const char *module = parsed->words[0];
    char path[FSIM_PATH_MAX];
    fsim_calibration c;
    const fsim_calibration_options how = {
        .backend = (fsim_backend)values->wasm.backend,
        .limits = fsim_wasm_limits(&values->wasm),
        .calls = values->calls > 0 ? (uint32_t)values->calls : 1000,
        .starts = values->starts > 0 ? (uint32_t)values->starts : 200,
        .instances = values->instances > 0 ? (uint32_t)values->instances : 5000,
        .quiet = values->quiet,
    };
    FSIM_TRY(fsim_wasm_check_file(module, &how.limits, err));
    FSIM_TRY(fsim_worker_check(how.backend, err));
    FSIM_TRY(place(values, module, path, sizeof path, err));
    fsim_status status = fsim_calibrate(&c, module, &how, err);
    if (status == FSIM_OK) {
        status = finish(&c, values, path, err);
    }
    fsim_calibration_destroy(&c);
    return status;
}

const fsim_command fsim_command_calibrate = {
    .name = "calibrate",
    .summary = "run a Wasm module for real, write a profile of its starts and calls",
    .arguments = "MODULE.wasm",
    .detail = "Measures each phase of a start, starts inside a process, from a zygote and of a new process, "
              "warm calls,\n"
              "memory of up to --instances live instances, and calls at the same time; fits distributions to "
              "starts and\n"
              "calls. The module's export \"run\" (or \"_start\") is called without arguments. Modules are "
              "not trusted: each\n"
              "instance is a process of its own with limits. Scenarios take the profile as cold_start, "
              "service and memory_mb:\n"
              "{\"profile\": FILE}. Figures are those of this machine: keep it otherwise idle.\n",
    .examples = "fsim calibrate workloads/wasm/cpu.wasm --plot\n"
                "fsim calibrate workloads/wasm/sha256.wasm --backend wasm2c --instances 100 -o sha.json",
    .options = options,
    .values_size = sizeof(calibrate_values),
    .words_min = 1,
    .words_max = 1,
    .run = run_calibrate,
};
