#include "cli/live_laws.h"

#include "cli/stall_watch.h"
#include "io/file.h"
#include "io/scenario_parts.h"

#include <stdlib.h>
#include <string.h>

static fsim_status add(fsim_live_spans_ns *s, fsim_ns value_ns, fsim_error *err) {
    if (s->n == s->capacity) {
        size_t capacity = s->capacity == 0 ? 256 : 2 * s->capacity;
        fsim_ns *larger = realloc(s->x, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory");
        }
        s->x = larger;
        s->capacity = capacity;
    }
    s->x[s->n++] = value_ns;
    return FSIM_OK;
}

/* ---- measured here and now ---- */

/* Spans that began at `at`, but for those during which a core stood still. Where most of them were touched,
 * all count. */
static fsim_status add_undisturbed(fsim_live_spans_ns *out, const double *spans_s, const fsim_samples *at,
                                   const fsim_stall_watch *watch, fsim_error *err) {
    size_t before = out->n;
    for (int all = 0; all < 2 && out->n - before < at->n / 2; all++) {
        out->n = before;
        for (size_t i = 0; i < at->n; i++) {
            fsim_ns from_ns = fsim_ns_from_s(at->x[i]), span_ns = fsim_ns_from_s(spans_s[i]);
            if (all != 0 || fsim_stall_watch_sum_ns(watch, from_ns, from_ns + span_ns) == 0) {
                FSIM_TRY(add(out, span_ns, err));
            }
        }
    }
    return FSIM_OK;
}

/* Long calls are seldom spared: a call counts without the time in which it did not run because a core stood
 * still, be it its own or, seldom, the other. */
static void run_only(const fsim_calibration *c, const fsim_stall_watch *watch) {
    for (size_t i = 0; i < c->service.n; i++) {
        fsim_ns due_ns = fsim_ns_from_s(c->due_at.x[i]);
        fsim_ns end_ns = due_ns + fsim_ns_from_s(c->dispatch.x[i] + c->service.x[i]);
        double still_s = fsim_ns_to_s(fsim_stall_watch_sum_ns(watch, due_ns, end_ns));
        double stopped_s = c->call.x[i] - c->cpu.x[i];
        stopped_s = stopped_s < still_s ? stopped_s : still_s;
        c->service.x[i] -= stopped_s > 0 ? stopped_s : 0;
    }
}

static fsim_status add_all(fsim_live_laws *laws, const fsim_calibration *c, const fsim_stall_watch *watch,
                           fsim_error *err) {
    run_only(c, watch);
    FSIM_TRY(add_undisturbed(&laws->service_ns, c->service.x, &c->due_at, watch, err));
    FSIM_TRY(add_undisturbed(&laws->start_ns, c->ready.x, &c->ready_at, watch, err));
    return add_undisturbed(&laws->dispatch_ns, c->dispatch.x, &c->due_at, watch, err);
}

fsim_status fsim_live_laws_measure(fsim_live_laws *laws, const char *module,
                                   const fsim_calibration_options *how, bool keep_awake, fsim_error *err) {
    fsim_calibration c;
    fsim_stall_watch watch;
    if (!fsim_stall_watch_begin(&watch, keep_awake)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = fsim_calibrate(&c, module, how, err);
    fsim_stall_watch_end(&watch);
    status = status == FSIM_OK ? add_all(laws, &c, &watch, err) : status;
    fsim_calibration_destroy(&c);
    fsim_stall_watch_destroy(&watch);
    return status;
}

/* ---- from a profile ---- */

static fsim_status read_spans(fsim_live_spans_ns *out, fsim_scenario *s, const char *profile,
                              const char *what, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    fsim_dist law;
    fsim_value *object = fsim_value_new(s->pool, FSIM_VALUE_OBJECT, "--profile");
    /* The scenario's files lie beside it, those of the command line where the user is. */
    const char *file = realpath(profile, path) != NULL ? path : profile;
    fsim_value_put(s->pool, object, "profile", fsim_value_new_string(s->pool, file, "--profile"));
    fsim_value_put(s->pool, object, "use", fsim_value_new_string(s->pool, "quantiles", "--profile"));
    FSIM_TRY(fsim_scenario_read_measured(s, object, what, &law, err));
    for (size_t i = 0; i < law.count; i++) {
        FSIM_TRY(add(out, law.values[i], err));
    }
    return FSIM_OK;
}

fsim_status fsim_live_laws_read(fsim_live_laws *laws, fsim_scenario *s, const char *profile,
                                fsim_error *err) {
    FSIM_TRY(read_spans(&laws->service_ns, s, profile, "service", err));
    FSIM_TRY(read_spans(&laws->start_ns, s, profile, "cold_start", err));
    return read_spans(&laws->dispatch_ns, s, profile, "dispatch", err);
}

/* ---- the laws ---- */

static int compare_ns(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return (x > y) - (x < y);
}

static double mean_of(const fsim_live_spans_ns *s) {
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += (double)s->x[i];
    }
    return s->n == 0 ? 0 : sum / (double)s->n;
}

/* An empirical law of the spans, each `more_ns` longer, on the run's clock. */
static fsim_status set_law(fsim_dist *out, fsim_live_spans_ns *law, const fsim_live_spans_ns *spans,
                           double more_ns, double speed_up, fsim_error *err) {
    law->n = 0;
    for (size_t i = 0; i < spans->n; i++) {
        FSIM_TRY(add(law, (fsim_ns)(((double)spans->x[i] + more_ns) * speed_up), err));
    }
    if (law->n == 0) {
        return fsim_fail(err, FSIM_EDATA, "nothing was measured");
    }
    qsort(law->x, law->n, sizeof(fsim_ns), compare_ns);
    *out = (fsim_dist){.kind = FSIM_DIST_EMPIRICAL, .count = law->n, .values = law->x};
    return FSIM_OK;
}

/* A request takes its service, and before that what passes until its call is sent, which needs no core. */
fsim_status fsim_live_laws_set(fsim_live_laws *laws, double speed_up, fsim_error *err) {
    double service_ns = mean_of(&laws->service_ns), dispatch_ns = mean_of(&laws->dispatch_ns);
    laws->core_share = service_ns > 0 ? service_ns / (service_ns + dispatch_ns) : 1;
    FSIM_TRY(set_law(&laws->service, &laws->laws[0], &laws->service_ns, dispatch_ns, speed_up, err));
    return set_law(&laws->cold_start, &laws->laws[1], &laws->start_ns, 0, speed_up, err);
}

void fsim_live_laws_destroy(fsim_live_laws *laws) {
    fsim_live_spans_ns *all[] = {&laws->service_ns, &laws->start_ns, &laws->dispatch_ns, &laws->laws[0],
                                 &laws->laws[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->x);
    }
    memset(laws, 0, sizeof *laws);
}
