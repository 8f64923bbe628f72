#include "report/scope_json.h"

typedef struct percentile {
    const char *name;
    double share;
} percentile;

static const percentile full_percentiles[] = {{"p50", 0.5},  {"p90", 0.9},    {"p95", 0.95},
                                              {"p99", 0.99}, {"p999", 0.999}, {NULL, 0}};
static const percentile few_percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {NULL, 0}};

static double seconds(fsim_wide ns) {
    return (double)ns / 1e9;
}

static double share(uint64_t part, uint64_t all) {
    return fsim_scope_ratio((double)part, (double)all);
}

static void put_spans(fsim_scope_sink *s, const fsim_spans *spans, const percentile *percentiles) {
    s->real(s, "mean", fsim_scope_ratio((double)spans->sum_ns, (double)spans->count) / 1e9);
    for (const percentile *p = percentiles; spans->hist != NULL && p->name != NULL; p++) {
        double ns = spans->count == 0
                        ? 0
                        : fsim_histogram_quantile(spans->hist, p->share, spans->min_ns, spans->max_ns);
        s->real(s, p->name, ns / 1e9);
    }
    s->real(s, "max", spans->count == 0 ? 0 : fsim_ns_to_s(spans->max_ns));
}

/* Shares of `total`, in order; count 0 gives no array, so that the key stays away. */
static void put_exceed(fsim_scope_sink *s, const uint64_t *part, uint32_t count, uint64_t total) {
    double shares[FSIM_EXCEED_MAX];
    for (uint32_t i = 0; i < count; i++) {
        shares[i] = share(part[i], total);
    }
    if (count > 0) {
        s->reals(s, "exceed", shares, count);
    }
}

static void put_requests(fsim_scope_sink *s, const fsim_counts *n) {
    s->open(s, "requests");
    s->integer(s, "arrived", n->arrived);
    s->integer(s, "completed", n->completed);
    s->integer(s, "rejected_429", n->rejected_429);
    s->integer(s, "rejected_503", n->rejected_503);
    s->integer(s, "timed_out", n->timed_out);
    s->integer(s, "failed", n->failed);
    s->integer(s, "in_system_at_end", n->in_system_at_end);
    s->integer(s, "retries", n->retries);
    s->close(s);
    s->open(s, "throttled");
    for (int i = 0; i < FSIM_CAUSE_COUNT; i++) {
        s->integer(s, fsim_cause_names[i], n->throttled[i]);
    }
    s->close(s);
}

static void put_cold(fsim_scope_sink *s, const fsim_scope *scope) {
    s->open(s, "cold");
    s->integer(s, "triggered", scope->n.cold_triggered);
    s->integer(s, "affected", scope->n.cold_affected);
    s->real(s, "ratio", share(scope->n.cold_affected, scope->n.arrived));
    s->open(s, "latency_s");
    put_spans(s, &scope->latency_cold, few_percentiles);
    s->close(s);
    s->open(s, "phases_s");
    for (int i = 0; i < FSIM_COLD_PHASES; i++) {
        double mean_ns = fsim_scope_ratio((double)scope->cold_phase_ns[i], (double)scope->cold_phase_count);
        s->real(s, fsim_cold_phase_names[i], mean_ns / 1e9);
    }
    s->close(s);
    s->close(s);
}

static void put_times(const fsim_scope_frame *f, fsim_scope_sink *s, const fsim_scope *scope) {
    s->open(s, "latency_s");
    put_spans(s, &scope->latency, full_percentiles);
    put_exceed(s, scope->latency_above, f->scenario->exceed_latency_count, scope->latency.count);
    s->close(s);
    s->open(s, "wait_s");
    put_spans(s, &scope->wait, full_percentiles);
    s->real(s, "p_wait", share(scope->waited, scope->wait.count));
    put_exceed(s, scope->wait_above, f->scenario->exceed_wait_count, scope->wait.count);
    s->close(s);
    s->open(s, "service_s");
    put_spans(s, &scope->service, few_percentiles);
    s->close(s);
}

static void put_instances(const fsim_scope_frame *f, fsim_scope_sink *s, const fsim_scope *scope) {
    fsim_wide all_ns = scope->starting_ns + scope->busy_ns + scope->idle_ns;
    double mean = fsim_scope_ratio((double)scope->in_execution_ns, f->horizon_ns);
    double variance = fsim_scope_ratio((double)scope->in_execution_sq_ns, f->horizon_ns) - mean * mean;
    s->open(s, "concurrency");
    s->real(s, "mean", mean);
    s->integer(s, "peak", scope->in_execution_peak);
    s->real(s, "var", variance > 0 ? variance : 0.0);
    s->close(s);
    s->open(s, "instances");
    s->real(s, "mean", fsim_scope_ratio((double)all_ns, f->horizon_ns));
    s->real(s, "mean_starting", fsim_scope_ratio((double)scope->starting_ns, f->horizon_ns));
    s->real(s, "mean_busy", fsim_scope_ratio((double)scope->busy_ns, f->horizon_ns));
    s->real(s, "mean_idle", fsim_scope_ratio((double)scope->idle_ns, f->horizon_ns));
    s->integer(s, "peak", scope->instances_peak);
    s->integer(s, "started", scope->n.started);
    s->integer(s, "removed", scope->n.removed);
    s->integer(s, "crashed", scope->n.crashed);
    s->real(s, "provisioned_mean", fsim_scope_ratio((double)scope->provisioned_ns, f->horizon_ns));
    if (scope->has_health) {
        s->integer(s, "ejected", scope->n.ejected);
    }
    s->close(s);
    s->open(s, "instance_s");
    s->real(s, "total", seconds(all_ns));
    s->real(s, "starting", seconds(scope->starting_ns));
    s->real(s, "busy", seconds(scope->busy_ns));
    s->real(s, "idle", seconds(scope->idle_ns));
    s->close(s);
}

static void put_sessions(fsim_scope_sink *s, const fsim_scope *scope) {
    const fsim_counts *n = &scope->n;
    s->open(s, "sessions");
    s->integer(s, "started", n->sessions_started);
    s->integer(s, "expired", n->sessions_expired);
    s->integer(s, "cut", n->sessions_cut);
    s->integer(s, "lost", n->sessions_lost);
    s->integer(s, "at_end", scope->sessions_at_end);
    s->integer(s, "followed", n->sessions_followed);
    s->integer(s, "elsewhere", n->sessions_elsewhere);
    s->close(s);
}

void fsim_scope_visit(const fsim_scope_frame *frame, const fsim_scope *scope, fsim_scope_sink *sink) {
    put_requests(sink, &scope->n);
    put_cold(sink, scope);
    put_times(frame, sink, scope);
    put_instances(frame, sink, scope);
    if (scope->has_sessions) {
        put_sessions(sink, scope);
    }
}

/* ---- as a tree ---- */

enum { DEPTH_MAX = 4 };

typedef struct tree {
    fsim_scope_sink sink;
    json_t *object[DEPTH_MAX]; /* [depth]: the one that is open; the outer ones hold it */
    uint32_t depth;
    bool failed;
} tree;

static void set(tree *t, const char *key, json_t *value) {
    t->failed |= json_object_set_new(t->object[t->depth], key, value) != 0;
}

static void open_object(fsim_scope_sink *sink, const char *key) {
    tree *t = (tree *)sink;
    json_t *object = json_object();
    set(t, key, object);
    t->object[++t->depth] = t->failed ? NULL : object;
}

static void close_object(fsim_scope_sink *sink) {
    ((tree *)sink)->depth--;
}

static void set_integer(fsim_scope_sink *sink, const char *key, uint64_t value) {
    set((tree *)sink, key, json_integer((json_int_t)value));
}

static void set_real(fsim_scope_sink *sink, const char *key, double value) {
    set((tree *)sink, key, json_real(value));
}

static void set_reals(fsim_scope_sink *sink, const char *key, const double *value, uint32_t count) {
    tree *t = (tree *)sink;
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        t->failed |= json_array_append_new(array, json_real(value[i])) != 0;
    }
    set(t, key, array);
}

json_t *fsim_scope_json(const fsim_scope_frame *frame, const fsim_scope *scope) {
    tree t = {{open_object, close_object, set_integer, set_real, set_reals}, {json_object()}, 0, false};
    fsim_scope_visit(frame, scope, &t.sink);
    if (t.failed) {
        json_decref(t.object[0]);
        return NULL;
    }
    return t.object[0];
}
