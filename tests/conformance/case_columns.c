/* Statistics over the columns of a generated workload, in one pass and in constant memory (the Kolmogorov
 * distance needs the number of rows first and takes a second pass).
 *
 * Every statistic is a function of sums that add up over batches of rows. The number of rows is not known
 * beforehand, so batches double: 64 places, and when all are full, neighbours merge. From the 32 to 63
 * batches at the end the jackknife (B. Efron, 1982) gives the estimate without its leading bias, and a
 * Student half width that is honest for ratios, variances and quantiles alike. Rows of a last, unfinished
 * batch are left out. Quantiles come from the library's log-linear histogram, interpolated: its buckets are
 * 0.8 % wide, the error is far below the 3 % that cases ask for. */
#include "case.h"

#include "api/source_api.h"
#include "base/histogram.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES        64u
#define ROWS_PER_BATCH 64u /* at first */

typedef struct sums {
    double n, x, xx, xy, y; /* y: the sample that came before x; over the pairs only */
    double pairs, pair_x;
    fsim_histogram *hist; /* quantiles; else NULL */
} sums;

typedef enum statistic { RATE, MEAN, QUANTILE, CDF, CV2, LAG1, DISPERSION, KS_RESCALED, UNKNOWN } statistic;
static const char *const statistic_names[] = {"rate", "mean", "quantile",   "cdf",
                                              "cv2",  "lag1", "dispersion", "ks_rescaled"};
typedef enum column_name { ARRIVAL, INTERVAL, DURATION } column_name;

typedef struct column {
    statistic statistic;
    column_name of;
    double p;
    fsim_ns at_ns, window_ns; /* window_ns > 0: a sample is the number of arrivals in a window */
    uint64_t per_batch;       /* samples */
    uint32_t count;
    sums batch[BATCHES]; /* batch[count] is being filled */
    bool has_last;
    double last;
    fsim_ns min_ns, max_ns; /* QUANTILE: of all samples */
    uint64_t window;        /* the one being counted, and its arrivals so far */
    double in_window;
} column;

/* ---- sums ---- */

static void sums_add(sums *into, const sums *from, double sign) {
    into->n += sign * from->n;
    into->x += sign * from->x;
    into->xx += sign * from->xx;
    into->xy += sign * from->xy;
    into->y += sign * from->y;
    into->pairs += sign * from->pairs;
    into->pair_x += sign * from->pair_x;
    for (uint32_t i = 0; into->hist != NULL && i < FSIM_HISTOGRAM_BUCKETS; i++) {
        into->hist->count[i] += sign > 0 ? from->hist->count[i] : -from->hist->count[i];
    }
}

static void sums_clear(sums *s) {
    fsim_histogram *hist = s->hist;
    *s = (sums){.hist = hist};
    if (hist != NULL) {
        memset(hist, 0, sizeof *hist);
    }
}

static double value_of(const column *c, const sums *s) {
    double mean = s->x / s->n, variance = (s->xx - s->x * mean) / (s->n - 1);
    switch (c->statistic) {
    case RATE: return c->window_ns > 0 ? mean / fsim_ns_to_s(c->window_ns) : 1 / mean;
    case MEAN:
    case CDF: return mean;
    case CV2: return variance / (mean * mean);
    case DISPERSION: return variance / mean;
    case LAG1: return (s->xy / s->pairs - s->pair_x / s->pairs * s->y / s->pairs) / variance;
    case QUANTILE: return fsim_histogram_quantile(s->hist, c->p, c->min_ns, c->max_ns) / 1e9;
    default: return NAN;
    }
}

/* ---- batches ---- */

static void merge_neighbours(column *c) {
    for (uint32_t i = 0; i < BATCHES / 2; i++) {
        sums pair = c->batch[2 * i];
        sums_add(&pair, &c->batch[2 * i + 1], 1);
        fsim_histogram *spare = i == 0 ? NULL : c->batch[i].hist;
        c->batch[2 * i].hist = spare; /* the pair moves down and its histogram with it */
        c->batch[i] = pair;
    }
    c->count = BATCHES / 2;
    c->per_batch *= 2;
    for (uint32_t i = c->count; i < BATCHES; i++) {
        sums_clear(&c->batch[i]);
    }
}

static void sample(column *c, double x, fsim_ns x_ns) {
    sums *s = &c->batch[c->count];
    s->n++;
    s->x += x;
    s->xx += x * x;
    if (c->has_last) {
        s->pairs++;
        s->pair_x += x;
        s->y += c->last;
        s->xy += x * c->last;
    }
    c->has_last = true;
    c->last = x;
    if (s->hist != NULL) {
        fsim_histogram_add(s->hist, x_ns);
        c->min_ns = x_ns < c->min_ns ? x_ns : c->min_ns;
        c->max_ns = x_ns > c->max_ns ? x_ns : c->max_ns;
    }
    if (s->n >= (double)c->per_batch && ++c->count == BATCHES) {
        merge_neighbours(c);
    }
}

static void count_window(column *c, fsim_ns at_ns) {
    for (uint64_t window = (uint64_t)(at_ns / c->window_ns); c->window < window; c->window++) {
        sample(c, c->in_window, 0);
        c->in_window = 0;
    }
    c->in_window++;
}

static void add_row(column *c, fsim_ns at_ns, fsim_ns interval_ns, fsim_ns duration_ns) {
    fsim_ns x_ns = c->of == DURATION ? duration_ns : interval_ns;
    if (c->window_ns > 0) {
        count_window(c, at_ns);
    } else if (c->statistic == CDF) {
        sample(c, x_ns <= c->at_ns, 0);
    } else if (c->statistic != KS_RESCALED) {
        sample(c, fsim_ns_to_s(x_ns), x_ns);
    }
}

static void jackknife(column *c, case_value *value) {
    sums total = {.hist = c->statistic == QUANTILE ? calloc(1, sizeof *total.hist) : NULL};
    double pseudo[BATCHES];
    uint32_t n =
        c->count < 2 ? c->count + 1 : c->count; /* too short for batches: all there is, and no half width */
    for (uint32_t i = 0; i < n; i++) {
        sums_add(&total, &c->batch[i], 1);
    }
    double all = value_of(c, &total);
    for (uint32_t i = 0; i < n; i++) {
        sums_add(&total, &c->batch[i], -1);
        pseudo[i] = n * all - (n - 1) * value_of(c, &total);
        sums_add(&total, &c->batch[i], 1);
    }
    case_estimate(pseudo, n, &value->mean, &value->half_width);
    if (c->count < 2) {
        value->mean = all;
        value->half_width = INFINITY;
    }
    free(total.hist);
}

/* ---- reading the case ---- */

static fsim_ns span_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    fsim_ns span_ns;
    return text != NULL && fsim_text_parse_span(text, &span_ns) ? span_ns : 0;
}

static bool column_init(column *c, const case_plan *plan, const json_t *check) {
    const json_t *json = json_object_get(check, "statistic");
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *of = json_string_value(json_object_get(json, "of"));
    *c = (column){.statistic = UNKNOWN, .per_batch = ROWS_PER_BATCH, .min_ns = FSIM_NEVER};
    if (name == NULL || of == NULL) {
        return false;
    }
    for (statistic s = RATE; s < UNKNOWN; s++) {
        c->statistic = strcmp(name, statistic_names[s]) == 0 ? s : c->statistic;
    }
    c->of = strcmp(of, "duration") == 0 ? DURATION : strcmp(of, "interval") == 0 ? INTERVAL : ARRIVAL;
    c->p = json_number_value(json_object_get(json, "p"));
    if (strcmp(name, "median") == 0) {
        c->statistic = QUANTILE;
        c->p = 0.5;
    }
    c->at_ns = span_of(json, "at");
    c->window_ns = span_of(json, "window");
    /* Of a periodic rate only whole periods say something: a batch is whole steps of what the case is
     * lengthened by. */
    bool periodic = plan->until_ns != FSIM_NEVER && plan->extend_key != NULL;
    if (c->statistic == DISPERSION && c->window_ns > 0) {
        c->per_batch = periodic && plan->extend_step_ns >= c->window_ns
                           ? (uint64_t)(plan->extend_step_ns / c->window_ns)
                           : 1;
    } else if (c->statistic == RATE && periodic) {
        c->window_ns = plan->extend_step_ns;
        c->per_batch = 1;
    }
    for (uint32_t i = 0; i < BATCHES && c->statistic == QUANTILE; i++) {
        c->batch[i].hist = calloc(1, sizeof *c->batch[i].hist);
        fsim_assert(c->batch[i].hist != NULL);
    }
    return c->statistic != UNKNOWN && (c->statistic != DISPERSION || c->window_ns > 0);
}

static void column_clear(column *c) {
    for (uint32_t i = 0; i < BATCHES; i++) {
        free(c->batch[i].hist);
    }
}

/* ---- passes over the workload ---- */

typedef struct pass {
    fsim_scenario *scenario;
    fsim_workload *workload;
} pass;

static fsim_status pass_open(pass *p, const case_plan *plan, fsim_error *err) {
    uint64_t seed = 1 + (uint64_t)plan->round * 1000000u;
    FSIM_TRY(case_scenario(&p->scenario, plan, seed, err));
    fsim_source_context context = {.seed = seed,
                                   .path = "workload",
                                   .table = p->scenario->functions,
                                   .default_fn = p->scenario->default_fn,
                                   .pool = p->scenario->pool,
                                   .base_dir = p->scenario->base_dir};
    fsim_status status = fsim_workload_open(&p->workload, &context, p->scenario->workload, err);
    if (status != FSIM_OK) {
        fsim_scenario_destroy(p->scenario);
    }
    return status;
}

static void pass_close(pass *p) {
    fsim_workload_close(p->workload);
    fsim_scenario_destroy(p->scenario);
}

static fsim_status fill(const case_plan *plan, column *columns, uint64_t *rows, fsim_error *err) {
    static fsim_arrivals batch; /* large, and there is one pass at a time */
    pass p;
    fsim_ns last_ns = 0;
    *rows = 0;
    FSIM_TRY(pass_open(&p, plan, err));
    fsim_status status = fsim_workload_next(p.workload, &batch, err);
    while (status == FSIM_OK && batch.count > 0) {
        for (uint32_t i = 0; i < batch.count; i++) {
            for (uint32_t k = 0; k < plan->check_count; k++) {
                add_row(&columns[k], batch.at_ns[i], batch.at_ns[i] - last_ns, batch.service_ns[i]);
            }
            last_ns = batch.at_ns[i];
        }
        *rows += batch.count;
        status = fsim_workload_next(p.workload, &batch, err);
    }
    /* A window that ends with the workload is whole. */
    for (uint32_t k = 0; k < plan->check_count && status == FSIM_OK && plan->until_ns != FSIM_NEVER; k++) {
        if (columns[k].window_ns > 0) {
            count_window(&columns[k], plan->until_ns);
        }
    }
    pass_close(&p);
    return status;
}

/* Arrivals from 0 to t that a rate makes on average (validity notes, section 4.h); NAN where the source has
 * none. */
static double integrated(const json_t *workload, double t) {
    const char *source = json_string_value(json_object_get(workload, "source"));
    double rate = json_number_value(json_object_get(workload, "rate")), sum = 0;
    size_t i;
    json_t *part;
    if (source != NULL && strcmp(source, "superposition") == 0) {
        json_array_foreach(json_object_get(workload, "of"), i, part) {
            sum += integrated(part, t);
        }
        return sum;
    }
    if (source != NULL && strcmp(source, "poisson") == 0) {
        return rate * t;
    }
    if (source == NULL || strcmp(source, "sinusoid") != 0) {
        return NAN;
    }
    double amplitude = json_number_value(json_object_get(workload, "amplitude"));
    double phase = json_number_value(json_object_get(workload, "phase"));
    double period = fsim_ns_to_s(span_of(workload, "period")), turn = 2 * M_PI / period;
    return rate * (t - amplitude / turn * (cos(turn * t + phase) - cos(phase)));
}

/* sqrt(n) x distance from uniform of the arrivals seen through the integrated rate. */
static fsim_status ks_rescaled(const case_plan *plan, uint64_t rows, double *out, fsim_error *err) {
    static fsim_arrivals batch;
    const json_t *workload = json_object_get(json_object_get(plan->json, "scenario"), "workload");
    double all = integrated(workload, fsim_ns_to_s(plan->until_ns)), n = (double)rows, distance = 0, seen = 0;
    pass p;
    if (plan->until_ns == FSIM_NEVER || !(all > 0)) {
        return fsim_fail(err, FSIM_ECONFIG, "ks_rescaled needs workload.until and sources that have a rate");
    }
    FSIM_TRY(pass_open(&p, plan, err));
    fsim_status status = fsim_workload_next(p.workload, &batch, err);
    while (status == FSIM_OK && batch.count > 0) {
        for (uint32_t i = 0; i < batch.count; i++) {
            double u = integrated(workload, fsim_ns_to_s(batch.at_ns[i])) / all;
            distance = fmax(distance, fmax((seen + 1) / n - u, u - seen / n));
            seen += 1;
        }
        status = fsim_workload_next(p.workload, &batch, err);
    }
    pass_close(&p);
    *out = sqrt(n) * distance;
    return status;
}

fsim_status case_columns(case_plan *plan, uint64_t *rows, fsim_error *err) {
    column *columns = calloc(plan->check_count, sizeof *columns);
    fsim_status status = columns == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    for (uint32_t k = 0; k < plan->check_count && status == FSIM_OK; k++) {
        if (!column_init(&columns[k], plan, plan->checks[k].json)) {
            status = fsim_fail(err, FSIM_ECONFIG, "statistic of %s is not understood", plan->checks[k].id);
        }
    }
    if (status == FSIM_OK) {
        status = fill(plan, columns, rows, err);
    }
    for (uint32_t k = 0; k < plan->check_count && status == FSIM_OK; k++) {
        case_value *value = &plan->checks[k].values[0];
        if (columns[k].statistic == KS_RESCALED) {
            status = ks_rescaled(plan, *rows, &value->mean, err);
        } else {
            jackknife(&columns[k], value);
        }
    }
    for (uint32_t k = 0; columns != NULL && k < plan->check_count; k++) {
        column_clear(&columns[k]);
    }
    free(columns);
    return status;
}
