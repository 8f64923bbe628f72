#include "trace/inspect.h"

#include "trace/bucket_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MAX       (1u << 20)
#define PER_FUNCTION_MAX 1000000u
#define MINUTES_MAX      (1u << 26) /* 127 years */
#define LEAST_OF_BUCKETS 3u
#define LEAST_OF_ROWS    5u

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

/* --- pieces --- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values; NAN of none. */
static double quantile(const double *values, size_t count, double p) {
    if (count == 0) {
        return NAN;
    }
    double at = p * (double)(count - 1);
    size_t below = (size_t)at;
    double next = below + 1 < count ? values[below + 1] : values[below];
    return values[below] + (at - (double)below) * (next - values[below]);
}

/* Sorts `values` on the way. */
static void quantiles(double *values, size_t count, const double *p, double *out, size_t n) {
    qsort(values, count, sizeof *values, by_value);
    for (size_t i = 0; i < n; i++) {
        out[i] = quantile(values, count, p[i]);
    }
}

static const double iat_p[] = {0.25, 0.5, 0.75, 0.9}, duration_p[] = {0.5, 0.9, 0.99},
                    memory_p[] = {0.5, 0.99};

/* Mean and variance of gaps, updated one by one (B. P. Welford 1962). */
typedef struct gaps {
    uint64_t count; /* of requests */
    fsim_ns last_ns;
    double mean, squares;
} gaps;

static void add_gap(gaps *g, fsim_ns at_ns) {
    if (g->count > 0) {
        double gap = (double)(at_ns - g->last_ns), delta = gap - g->mean;
        g->mean += delta / (double)g->count;
        g->squares += delta * (gap - g->mean);
    }
    g->count++;
    g->last_ns = at_ns;
}

static double cv_of(const gaps *g) {
    double variance = g->squares / (double)(g->count - 1);
    return g->mean > 0.0 ? sqrt(variance) / g->mean : 0.0;
}

static void add_hours(fsim_inspection *out, fsim_ns at_ns, double requests) {
    uint64_t hour = ((uint64_t)at_ns + (uint64_t)out->clock_ns) / FSIM_HOUR;
    out->hourly[hour % 24] += requests;
    out->weekly[hour % FSIM_INSPECT_HOURS] += requests;
}

/* Where in the week the kept part of the trace begins. 1970 began on a Thursday. */
static fsim_ns clock_of(const fsim_trace *trace) {
    const fsim_ns week_ns = 7 * FSIM_DAY;
    const fsim_trace_options *o = fsim_trace_options_of(trace);
    int64_t begins_ns = fsim_trace_about(trace)->begins_ns;
    fsim_ns monday_ns = begins_ns == 0 ? 0 : 3 * FSIM_DAY;
    return o->scale_time == 1.0 ? (begins_ns % week_ns + monday_ns + o->from_ns % week_ns) % week_ns : 0;
}

static void set_facts(fsim_inspection *out, const fsim_trace *trace) {
    out->facts = *fsim_trace_about(trace);
    strncpy(out->format, out->facts.format, sizeof out->format - 1);
    if (out->facts.begins_ns != 0 &&
        __builtin_add_overflow(out->facts.begins_ns, fsim_trace_options_of(trace)->from_ns,
                               &out->facts.begins_ns)) {
        out->facts.begins_ns = 0;
    }
}

static void set_shares(fsim_inspection *out, uint64_t rare, uint64_t rarest) {
    out->share_below_1_per_min = out->functions == 0 ? NAN : (double)rare / (double)out->functions;
    out->share_at_most_1_per_hour = out->functions == 0 ? NAN : (double)rarest / (double)out->functions;
}

static void clear(fsim_inspection *out) {
    memset(out, 0, sizeof *out);
    out->mean_per_min = out->peak_per_min = out->duration_mean_s = NAN;
    for (size_t i = 0; i < 4; i++) {
        out->iat_cv[i] = out->duration_s[i < 3 ? i : 2] = out->memory_mb[i < 2 ? i : 1] = NAN;
    }
}

/* --- buckets --- */

/* Requests of each minute, or of each bucket where that is longer. */
static fsim_status inspect_load(fsim_inspection *out, const fsim_bucketed *t, fsim_error *err) {
    fsim_ns unit_ns = t->bucket_ns < FSIM_MINUTE ? FSIM_MINUTE : t->bucket_ns;
    uint64_t units = (uint64_t)((double)t->bucket_count * (double)t->bucket_ns / (double)unit_ns) + 2u,
             peak = 0;
    uint64_t *load = units > MINUTES_MAX ? NULL : calloc(units, sizeof *load);
    if (load == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < t->function_count; f++) {
        fsim_cell_cursor c = fsim_cells_of(t, f);
        while (fsim_cells_next(&c)) {
            fsim_ns at_ns = (fsim_ns)c.bucket * t->bucket_ns;
            load[at_ns / unit_ns] += c.count;
            add_hours(out, at_ns, (double)c.count);
        }
    }
    for (uint64_t i = 0; i < units; i++) {
        peak = load[i] > peak ? load[i] : peak;
    }
    free(load);
    out->peak_per_min = (double)peak * ((double)FSIM_MINUTE / (double)unit_ns);
    return FSIM_OK;
}

/* Of a trace without durations, which nobody looks at here. */
static fsim_status inspect_gaps(fsim_inspection *out, const fsim_bucketed *t, const fsim_trace_options *o,
                                fsim_error *err) {
    fsim_bucket_stream *stream = NULL;
    fsim_arrivals *batch = malloc(sizeof *batch);
    double *cvs = malloc((t->function_count + 1u) * sizeof *cvs);
    size_t count = 0;
    fsim_status status = batch == NULL || cvs == NULL
                             ? out_of_memory(err)
                             : fsim_bucket_stream_open(&stream, t, o->placement, o->seed, NULL, err);
    for (uint32_t f = 0; f < t->function_count && status == FSIM_OK; f++) {
        gaps g = {0};
        status = fsim_bucket_stream_select(stream, &f, 1, err);
        do {
            status = status == FSIM_OK ? fsim_bucket_stream_next(stream, batch, err) : status;
            for (uint32_t i = 0; status == FSIM_OK && i < batch->count; i++) {
                add_gap(&g, batch->at_ns[i]);
            }
        } while (status == FSIM_OK && batch->count > 0 && g.count < PER_FUNCTION_MAX);
        if (g.count >= LEAST_OF_BUCKETS) {
            cvs[count++] = cv_of(&g);
        }
    }
    if (status == FSIM_OK) {
        quantiles(cvs, count, iat_p, out->iat_cv, 4);
    }
    fsim_bucket_stream_close(stream);
    free(batch);
    free(cvs);
    return status;
}

typedef struct app_memory {
    const char *owner, *app;
    double mb;
} app_memory;

static int by_app(const void *a, const void *b) {
    const app_memory *x = a, *y = b; /* names are interned: one text, one address */
    return x->owner != y->owner ? (x->owner < y->owner ? -1 : 1) : (x->app > y->app) - (x->app < y->app);
}

/* Each app once; functions without an app are apps of their own. */
static fsim_status inspect_memory(fsim_inspection *out, const fsim_trace *trace, fsim_error *err) {
    uint32_t functions = fsim_trace_function_count(trace), apps = 0, count = 0;
    app_memory *all = malloc((functions + 1u) * sizeof *all);
    double *mb = malloc((functions + 1u) * sizeof *mb);
    if (all == NULL || mb == NULL) {
        free(all);
        free(mb);
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < functions; f++) {
        const fsim_trace_function *function = fsim_trace_function_at(trace, f);
        if (function->memory_mean > 0.0 && function->app != NULL &&
            !fsim_trace_about(trace)->memory_per_function) {
            all[apps++] = (app_memory){function->owner, function->app, function->memory_mean};
        } else if (function->memory_mean > 0.0) {
            mb[count++] = function->memory_mean;
        }
    }
    qsort(all, apps, sizeof *all, by_app);
    for (uint32_t i = 0; i < apps; i++) {
        if (i == 0 || by_app(&all[i - 1], &all[i]) != 0) {
            mb[count++] = all[i].mb;
        }
    }
    quantiles(mb, count, memory_p, out->memory_mb, 2);
    free(all);
    free(mb);
    return FSIM_OK;
}

static int by_functions(const void *a, const void *b) {
    const fsim_inspect_trigger *x = a, *y = b;
    return x->functions != y->functions ? (x->functions < y->functions ? 1 : -1) : strcmp(x->name, y->name);
}

static void inspect_triggers(fsim_inspection *out, const fsim_trace *trace) {
    for (uint32_t f = 0; f < fsim_trace_function_count(trace); f++) {
        const fsim_trace_function *function = fsim_trace_function_at(trace, f);
        uint32_t i = 0, last = FSIM_INSPECT_TRIGGERS - 1u;
        char name[sizeof out->triggers[0].name];
        bool counts = function->invocations > 0 || fsim_trace_about(trace)->functions_only;
        if (function->trigger == NULL || !counts) {
            continue;
        }
        snprintf(name, sizeof name, "%s", function->trigger);
        while (i < out->trigger_count && strcmp(out->triggers[i].name, name) != 0) {
            i++;
        }
        i = i < last ? i : last;
        if (i == out->trigger_count) {
            out->trigger_count++;
            memcpy(out->triggers[i].name, i == last ? "others" : name, i == last ? 7 : sizeof name);
        }
        out->triggers[i].functions++;
        out->triggers[i].invocations += function->invocations;
    }
    uint32_t sorted =
        out->trigger_count == FSIM_INSPECT_TRIGGERS ? out->trigger_count - 1u : out->trigger_count;
    qsort(out->triggers, sorted, sizeof *out->triggers, by_functions);
}

static fsim_status inspect_functions(fsim_inspection *out, const fsim_bucketed *t, fsim_error *err) {
    double *means = malloc((t->function_count + 1u) * sizeof *means), weight = 0, sum = 0;
    uint64_t rare = 0, rarest = 0;
    size_t count = 0;
    if (means == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < t->function_count; f++) {
        const fsim_trace_function *function = &t->functions[f];
        double requests = (double)function->invocations;
        rare += requests * 60.0 < out->span_s;
        rarest += requests * 3600.0 <= out->span_s;
        if (function->durations.known) {
            double mean_s = fsim_ns_to_s(function->durations.mean_ns);
            double own = function->durations.count > 0 ? (double)function->durations.count : requests;
            means[count++] = mean_s;
            weight += own;
            sum += own * mean_s;
        }
    }
    quantiles(means, count, duration_p, out->duration_s, 3);
    out->duration_mean_s = weight > 0 ? sum / weight : NAN;
    free(means);
    set_shares(out, rare, rarest);
    return FSIM_OK;
}

fsim_status fsim_inspect_buckets(fsim_inspection *out, const fsim_trace *trace, fsim_error *err) {
    const fsim_bucketed *t = fsim_trace_buckets(trace);
    clear(out);
    set_facts(out, trace);
    out->clock_ns = clock_of(trace);
    out->functions = t->function_count;
    out->invocations = t->invocations;
    out->span_s = (double)t->bucket_count * fsim_ns_to_s(t->bucket_ns);
    double there_s = (double)(t->bucket_count - out->facts.buckets_missing) * fsim_ns_to_s(t->bucket_ns);
    out->mean_per_min = there_s > 0 ? (double)t->invocations * 60.0 / there_s : NAN;
    FSIM_TRY(inspect_load(out, t, err));
    FSIM_TRY(inspect_functions(out, t, err));
    FSIM_TRY(inspect_memory(out, trace, err));
    inspect_triggers(out, trace);
    fsim_trace_function *functions = malloc((t->function_count + 1u) * sizeof *functions);
    if (functions == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t f = 0; f < t->function_count; f++) {
        functions[f] = (fsim_trace_function){.name = t->functions[f].name};
    }
    fsim_bucketed arrivals = *t;
    arrivals.functions = functions;
    fsim_status status = inspect_gaps(out, &arrivals, fsim_trace_options_of(trace), err);
    free(functions);
    return status;
}

/* --- rows --- */

struct fsim_row_inspector {
    fsim_inspection seen; /* what can be added up at once */
    gaps *functions;
    uint32_t function_count, function_capacity;
    uint32_t *minutes;
    uint64_t minute_count, minute_capacity;
    double *sample;
    uint64_t durations; /* seen so far */
    double duration_sum;
    fsim_rng rng;
};

fsim_row_inspector *fsim_row_inspector_create(void) {
    fsim_row_inspector *r = calloc(1, sizeof *r);
    if (r != NULL) {
        clear(&r->seen);
        fsim_rng_seed(&r->rng, 1, "inspect", FSIM_RNG_SERVICE);
        r->sample = malloc(SAMPLE_MAX * sizeof *r->sample);
        if (r->sample == NULL) {
            free(r);
            return NULL;
        }
    }
    return r;
}

void fsim_row_inspector_destroy(fsim_row_inspector *r) {
    if (r != NULL) {
        free(r->functions);
        free(r->minutes);
        free(r->sample);
        free(r);
    }
}

static bool reserve(fsim_row_inspector *r, uint32_t fn, uint64_t minute) {
    if (fn >= r->function_capacity) {
        uint32_t capacity = fn + fn / 2 + 64;
        gaps *larger = realloc(r->functions, capacity * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        memset(larger + r->function_capacity, 0, (capacity - r->function_capacity) * sizeof *larger);
        r->functions = larger;
        r->function_capacity = capacity;
    }
    if (minute >= r->minute_capacity) {
        uint64_t capacity = minute + minute / 2 + 1440;
        uint32_t *larger = minute > MINUTES_MAX ? NULL : realloc(r->minutes, capacity * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        memset(larger + r->minute_capacity, 0, (capacity - r->minute_capacity) * sizeof *larger);
        r->minutes = larger;
        r->minute_capacity = capacity;
    }
    return true;
}

/* Keeps every value while there is room, then each with the same probability (J. S. Vitter 1985, algorithm
 * R). */
static void add_duration(fsim_row_inspector *r, fsim_ns duration_ns) {
    double seconds = fsim_ns_to_s(duration_ns);
    uint64_t at = r->durations++;
    r->duration_sum += seconds;
    if (at >= SAMPLE_MAX) {
        at = (uint64_t)(fsim_rng_unit(&r->rng) * (double)r->durations);
    }
    if (at < SAMPLE_MAX) {
        r->sample[at] = seconds;
    }
}

fsim_status fsim_row_inspector_add(fsim_row_inspector *r, const fsim_arrivals *batch, fsim_error *err) {
    for (uint32_t i = 0; i < batch->count; i++) {
        fsim_ns at_ns = batch->at_ns[i];
        uint64_t minute = (uint64_t)(at_ns / FSIM_MINUTE);
        uint32_t fn = batch->fn[i];
        if (!reserve(r, fn, minute)) {
            return out_of_memory(err);
        }
        add_gap(&r->functions[fn], at_ns);
        r->function_count = fn >= r->function_count ? fn + 1u : r->function_count;
        r->minutes[minute]++;
        r->minute_count = minute + 1u;
        add_hours(&r->seen, at_ns, 1.0);
        r->seen.invocations++;
        r->seen.span_s = fsim_ns_to_s(at_ns);
        if (batch->service_ns[i] != FSIM_DRAW) {
            add_duration(r, batch->service_ns[i]);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_row_inspector_finish(fsim_row_inspector *r, fsim_inspection *out, fsim_error *err) {
    uint64_t rare = 0, rarest = 0, peak = 0;
    size_t count = 0, durations = r->durations < SAMPLE_MAX ? (size_t)r->durations : SAMPLE_MAX;
    double *cvs = malloc((r->function_count + 1u) * sizeof *cvs);
    if (cvs == NULL) {
        return out_of_memory(err);
    }
    *out = r->seen;
    for (uint32_t fn = 0; fn < r->function_count; fn++) {
        double requests = (double)r->functions[fn].count;
        out->functions += requests > 0;
        rare += requests > 0 && requests * 60.0 < out->span_s;
        rarest += requests > 0 && requests * 3600.0 <= out->span_s;
        if (r->functions[fn].count >= LEAST_OF_ROWS) {
            cvs[count++] = cv_of(&r->functions[fn]);
        }
    }
    for (uint64_t m = 0; m < r->minute_count; m++) {
        peak = r->minutes[m] > peak ? r->minutes[m] : peak;
    }
    set_shares(out, rare, rarest);
    quantiles(cvs, count, iat_p, out->iat_cv, 4);
    quantiles(r->sample, durations, duration_p, out->duration_s, 3);
    free(cvs);
    out->duration_mean_s = durations > 0 ? r->duration_sum / (double)r->durations : NAN;
    out->peak_per_min = (double)peak;
    out->mean_per_min = out->span_s > 0 ? (double)out->invocations * 60.0 / out->span_s : NAN;
    return FSIM_OK;
}

void fsim_row_inspector_memory(const fsim_row_inspector *r, double *memory_mb, uint32_t count,
                               fsim_inspection *out) {
    uint32_t known = 0;
    for (uint32_t fn = 0; fn < count && fn < r->function_count; fn++) {
        if (r->functions[fn].count > 0 && memory_mb[fn] > 0.0) {
            memory_mb[known++] = memory_mb[fn];
        }
    }
    quantiles(memory_mb, known, memory_p, out->memory_mb, 2);
}

fsim_status fsim_inspect_rows(fsim_inspection *out, fsim_trace *trace, fsim_error *err) {
    fsim_row_inspector *r = fsim_row_inspector_create();
    fsim_arrivals *batch = malloc(sizeof *batch);
    fsim_status status = r == NULL || batch == NULL ? out_of_memory(err) : FSIM_OK;
    do {
        status = status == FSIM_OK ? fsim_trace_next(trace, batch, err) : status;
        if (status == FSIM_OK && r->seen.invocations == 0) { /* the first row tells time 0 */
            r->seen.clock_ns = clock_of(trace);
        }
        status = status == FSIM_OK ? fsim_row_inspector_add(r, batch, err) : status;
    } while (status == FSIM_OK && batch->count > 0);
    status = status == FSIM_OK ? fsim_row_inspector_finish(r, out, err) : status;
    if (status == FSIM_OK) {
        set_facts(out, trace);
        out->functions = out->facts.functions_only ? fsim_trace_function_count(trace) : out->functions;
        inspect_triggers(out, trace);
        status = inspect_memory(out, trace, err);
    }
    free(batch);
    fsim_row_inspector_destroy(r);
    return status;
}
