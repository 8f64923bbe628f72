/* IBM Code Engine's app configurations, as columns: one row an app, or one an app and day, of which the last
 * counts. */
#include "base/text.h"
#include "trace/trace_parts.h"

#include <string.h>
#include <strings.h>

enum { NAME_SPACE, APP, CPU, MEMORY, CONCURRENCY, MIN_SCALE, COLUMNS };

#define MISSING (-1)

static const char *const names[COLUMNS] = {
    "NamespaceHash",           "AppHash",     "AppContainerRequestCpu", "AppContainerRequestMemory",
    "AppContainerConcurrency", "AppMinScale",
};

/* Quantities of Kubernetes in thousandths: "500m", "0.5", "4G", "512Mi"; a plain number is taken as it is. */
static fsim_status quantity_cell(void *user, const char *text, size_t len, int64_t *value, fsim_error *err) {
    static const struct {
        const char *suffix;
        double factor; /* of a plain number, which counts GB */
    } units[] = {{"Gi", 1.0}, {"G", 1.0}, {"Mi", 1.0 / 1024}, {"M", 1.0 / 1024}, {"m", 0.001}};
    (void)user;
    double factor = 1.0;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        size_t suffix = strlen(units[u].suffix);
        if (len > suffix && memcmp(text + len - suffix, units[u].suffix, suffix) == 0) {
            factor = units[u].factor;
            len -= suffix;
            break;
        }
    }
    int64_t millionths;
    if (fsim_text_parse_scaled_ns(text, len, 1000000, &millionths)) {
        *value = (int64_t)((double)millionths * factor);
        return FSIM_OK;
    }
    *value = MISSING;
    return len == 3 && strncasecmp(text, "nan", 3) == 0
               ? FSIM_OK
               : fsim_fail(err, FSIM_EDATA, "\"%.*s\" is no quantity, expected such as 0.5, 500m or 4G",
                           (int)(len < 40 ? len : 40), text);
}

static void bind(fsim_trace *t, size_t fields[COLUMNS]) {
    size_t count;
    const char *const *header = fsim_csv_header(t->csv, &count);
    for (size_t c = 0; c < COLUMNS; c++) {
        fields[c] = SIZE_MAX;
        for (size_t f = 0; f < count; f++) {
            if (strcasecmp(header[f], names[c]) == 0) {
                fields[c] = f;
            }
        }
        if (fields[c] == SIZE_MAX) {
            continue;
        }
        const fsim_csv_binding binding = {.expected = names[c],
                                          .when_empty = MISSING,
                                          .name = c <= APP ? trace_intern_cell : quantity_cell,
                                          .user = t};
        fsim_csv_bind(t->csv, fields[c], &binding);
    }
}

static void describe(fsim_trace_function *f, const int64_t millionths[COLUMNS]) {
    if (millionths[MEMORY] > 0) {
        f->memory_mean = (double)millionths[MEMORY] * 1024e-6;
        f->memory_mb = f->memory_mean >= 1e9 ? 1000000000 : (int64_t)(f->memory_mean + 0.5);
        f->memory_mb += f->memory_mb == 0;
    }
    f->vcpu = millionths[CPU] > 0 ? (double)millionths[CPU] * 1e-6 : f->vcpu;
    if (millionths[CONCURRENCY] >= 1000000) {
        int64_t whole = millionths[CONCURRENCY] / 1000000;
        f->concurrency = whole > 1000000 ? 1000000 : (uint32_t)whole;
    }
    if (millionths[MIN_SCALE] >= 0) {
        int64_t whole = millionths[MIN_SCALE] / 1000000;
        f->min_instances = whole > 1000000 ? 1000000 : (uint32_t)whole;
    }
}

fsim_status trace_read_ibm_configurations(fsim_trace *t, const trace_file *file, fsim_error *err) {
    size_t fields[COLUMNS];
    fsim_csv_block block = {.count = 1};
    FSIM_TRY(fsim_csv_open(&t->csv, NULL, file->path, err));
    bind(t, fields);
    while (block.count > 0) {
        FSIM_TRY(fsim_csv_next(t->csv, &block, err));
        for (uint32_t row = 0; row < block.count; row++) {
            int64_t cells[COLUMNS];
            uint32_t f;
            for (size_t c = 0; c < COLUMNS; c++) {
                cells[c] = fields[c] == SIZE_MAX ? MISSING : block.columns[fields[c]][row];
            }
            FSIM_TRY(trace_ibm_function(t, cells[APP], cells[NAME_SPACE], &f, err));
            describe(&t->functions[f], cells);
        }
    }
    fsim_csv_close(t->csv);
    t->csv = NULL;
    return FSIM_OK;
}
