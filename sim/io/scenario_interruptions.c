/* platform.nodes.interruptions: cores that are away for a while; see scenario_parts.h. */
#include "base/limits.h"
#include "io/file.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

/* The object may be in a file of its own, as `fsim exec` writes it. */
static fsim_status find(const fsim_scenario *s, const fsim_value *value, const fsim_value **out,
                        fsim_error *err) {
    char file[FSIM_PATH_MAX];
    fsim_value *root = NULL;
    *out = value;
    if (value->kind == FSIM_VALUE_STRING) {
        FSIM_TRY(fsim_file_resolve(s->base_dir, value->string, file, sizeof file, err));
        FSIM_TRY(fsim_json_read_file(s->pool, file, &root, err));
        *out = root;
    }
    return fsim_scenario_need_object(*out, "interruptions", err);
}

static fsim_status read_one(const fsim_scenario *s, const fsim_value *value, fsim_interruption *out,
                            fsim_error *err) {
    int64_t node = 0, core = -1;
    static const char *const needed[] = {"at", "for"};
    FSIM_TRY(fsim_scenario_need_object(value, "an interruption", err));
    for (size_t i = 0; i < 2; i++) {
        if (fsim_value_peek(value, needed[i]) == NULL) {
            return fsim_value_missing(value, needed[i], err);
        }
    }
    FSIM_TRY(fsim_value_get_i64(value, "node", 0, (int64_t)s->nodes.count - 1, &node, err));
    FSIM_TRY(fsim_value_get_i64(value, "core", 0, (int64_t)s->nodes.vcpu - 1, &core, err));
    FSIM_TRY(fsim_value_get_span(value, "at", false, &out->at_ns, err));
    FSIM_TRY(fsim_value_get_span(value, "for", false, &out->for_ns, err));
    out->node = (uint32_t)node;
    out->core = core < 0 ? UINT32_MAX : (uint32_t)core;
    return fsim_value_check_used(value, NULL, err);
}

static fsim_status read_list(fsim_scenario *s, const fsim_value *list, fsim_error *err) {
    if (list->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(list, err, "expected a list of interruptions {core, at, for}");
    }
    if (list->count > FSIM_INTERRUPTIONS_MAX) {
        return fsim_value_fail(list, err, "more than %u interruptions", FSIM_INTERRUPTIONS_MAX);
    }
    fsim_interruption *all = fsim_value_pool_alloc(s->pool, (list->count + 1u) * sizeof *all);
    if (all == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    uint32_t n = 0;
    for (const fsim_value *one = list->first; one != NULL; one = one->next, n++) {
        FSIM_TRY(read_one(s, one, &all[n], err));
        if (n > 0 && all[n].at_ns < all[n - 1u].at_ns) {
            return fsim_value_fail(one, err, "begins before the one in front of it: expected them in order");
        }
    }
    s->nodes.interruptions = all;
    s->nodes.interruption_count = n;
    return FSIM_OK;
}

/* Both or neither; what never lets time pass is refused. */
static fsim_status read_law(fsim_scenario *s, const fsim_value *object, fsim_error *err) {
    const fsim_value *every = fsim_value_get(object, "every"), *length = fsim_value_get(object, "for");
    if (every == NULL && length == NULL) {
        return FSIM_OK;
    }
    if (every == NULL || length == NULL) {
        return fsim_value_missing(object, every == NULL ? "every" : "for", err);
    }
    FSIM_TRY(fsim_dist_read(&s->nodes.away_every, s->pool, every, s->base_dir, true, err));
    FSIM_TRY(fsim_dist_read(&s->nodes.away_for, s->pool, length, s->base_dir, true, err));
    if (fsim_dist_mean_ns(&s->nodes.away_every) < 1) {
        return fsim_value_fail(every, err,
                               "expected a span longer than 0, or a distribution of such: cores must be "
                               "there between two interruptions");
    }
    s->nodes.interrupts = true;
    return FSIM_OK;
}

fsim_status fsim_scenario_read_interruptions(fsim_scenario *s, const fsim_value *value, fsim_error *err) {
    const fsim_value *object = NULL, *list;
    if (value == NULL || fsim_value_is_off(value)) {
        return FSIM_OK;
    }
    if (s->nodes.cpu_model != FSIM_NODE_CPU_FCFS) {
        return fsim_value_fail(value, err,
                               "expected cpu_model \"fcfs\" beside it: only there a request is on one core");
    }
    if (s->nodes.vcpu * s->nodes.count > FSIM_INTERRUPTED_CORES_MAX) {
        return fsim_value_fail(value, err, "%g cores found, expected at most %u where cores are interrupted",
                               s->nodes.vcpu * s->nodes.count, FSIM_INTERRUPTED_CORES_MAX);
    }
    FSIM_TRY(find(s, value, &object, err));
    list = fsim_value_get(object, "list");
    if (list != NULL) {
        FSIM_TRY(read_list(s, list, err));
    }
    FSIM_TRY(read_law(s, object, err));
    FSIM_TRY(fsim_value_check_used(object, NULL, err));
    return list != NULL || s->nodes.interrupts
               ? FSIM_OK
               : fsim_value_fail(object, err, "says nothing of when: expected list, or every and for");
}
