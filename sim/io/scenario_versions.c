/* The versions of a function; see scenario_parts.h.
 *
 * A version's entry is read over what the function's says, so that it holds only what is different. Limits
 * are the function's: they count the requests and instances of all versions. */
#include "io/scenario_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSIONS_MAX 256u
#define WEIGHT_MAX   1e12
#define COUNT_MAX    ((int64_t)FSIM_UNLIMITED - 1)

/* A number that changes over time: value[k] from at_ns[k] on. */
typedef struct timed {
    uint32_t count;
    fsim_ns *at_ns;
    double *value;
} timed;

typedef struct reader {
    fsim_scenario *scenario;
    const fsim_value *list;
    uint32_t count;
    fsim_fn_spec *spec; /* of each version */
    timed *weight;
    timed *provisioned; /* count 0: none said */
    fsim_error *err;
} reader;

/* ---- numbers that change ---- */

static bool grow(const reader *r, timed *t, size_t room) {
    t->at_ns = fsim_value_pool_alloc(r->scenario->pool, room * sizeof *t->at_ns);
    t->value = fsim_value_pool_alloc(r->scenario->pool, room * sizeof *t->value);
    return t->at_ns != NULL && t->value != NULL;
}

static fsim_status read_number(const reader *r, const fsim_value *object, const char *key, double max,
                               bool whole, double *out) {
    int64_t number = (int64_t)*out;
    if (!whole) {
        return fsim_value_get_real(object, key, 0, max, out, r->err);
    }
    FSIM_TRY(fsim_value_get_i64(object, key, 0, (int64_t)max, &number, r->err));
    *out = (double)number;
    return FSIM_OK;
}

static fsim_status read_step(const reader *r, const fsim_value *item, const char *key, double max, bool whole,
                             timed *t) {
    uint32_t k = t->count;
    FSIM_TRY(fsim_scenario_need_object(item, "a step", r->err));
    if (fsim_value_get(item, "at") == NULL) {
        return fsim_value_missing(item, "at", r->err);
    }
    if (fsim_value_get(item, key) == NULL) {
        return fsim_value_missing(item, key, r->err);
    }
    FSIM_TRY(fsim_value_get_span(item, "at", false, &t->at_ns[k], r->err));
    FSIM_TRY(read_number(r, item, key, max, whole, &t->value[k]));
    if (k > 0 && t->at_ns[k] <= t->at_ns[k - 1u]) {
        return fsim_value_fail(fsim_value_get(item, "at"), r->err,
                               "not after the step in front of it; steps must be in order of time");
    }
    t->count++;
    return FSIM_OK;
}

/* A number, or [{"at", key}]: 0 before the first of them. `otherwise` holds from t = 0 on if the key is
 * absent.
 */
static fsim_status read_timed(const reader *r, const fsim_value *version, const char *key, double max,
                              bool whole, double otherwise, timed *t) {
    const fsim_value *value = fsim_value_get(version, key);
    bool is_list = value != NULL && value->kind == FSIM_VALUE_ARRAY;
    if (!grow(r, t, is_list ? value->count + 1u : 1u)) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    t->count = 0;
    if (!is_list) {
        t->value[t->count++] = otherwise;
        return read_number(r, version, key, max, whole, &t->value[0]);
    }
    if (value->count == 0) {
        return fsim_value_fail(value, r->err, "expected a number, or at least one {\"at\", \"%s\"}", key);
    }
    for (const fsim_value *item = value->first; item != NULL; item = item->next) {
        FSIM_TRY(read_step(r, item, key, max, whole, t));
    }
    return FSIM_OK;
}

static double value_at(const timed *t, fsim_ns at_ns) {
    double value = 0;
    for (uint32_t k = 0; k < t->count && t->at_ns[k] <= at_ns; k++) {
        value = t->value[k];
    }
    return value;
}

static int by_time(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return (x > y) - (x < y);
}

/* The instants at which some of the `r->count` numbers changes, 0 first; *count of them. NULL: out of memory.
 */
static fsim_ns *changes(const reader *r, const timed *numbers, uint32_t *count) {
    size_t all = 1;
    for (uint32_t v = 0; v < r->count; v++) {
        all += numbers[v].count;
    }
    fsim_ns *at_ns = fsim_value_pool_alloc(r->scenario->pool, all * sizeof *at_ns);
    if (at_ns == NULL) {
        return NULL;
    }
    size_t n = 1, kept = 1; /* at_ns[0] is 0 */
    for (uint32_t v = 0; v < r->count; v++) {
        memcpy(&at_ns[n], numbers[v].at_ns, numbers[v].count * sizeof *at_ns);
        n += numbers[v].count;
    }
    qsort(at_ns, n, sizeof *at_ns, by_time);
    for (size_t k = 1; k < n; k++) {
        if (at_ns[k] != at_ns[kept - 1u]) {
            at_ns[kept++] = at_ns[k];
        }
    }
    *count = (uint32_t)kept;
    return at_ns;
}

/* ---- one version ---- */

static fsim_status refuse_keys_of_function(const reader *r, const fsim_value *version) {
    static const char *const keys[] = {"max_instances", "reserved_concurrency", "versions", NULL};
    for (const char *const *key = keys; *key != NULL; key++) {
        if (fsim_value_get(version, *key) != NULL) {
            return fsim_value_fail(fsim_value_get(version, *key), r->err,
                                   "\"%s\" is the function's: it holds for all versions together", *key);
        }
    }
    return FSIM_OK;
}

static fsim_status read_name(const reader *r, const fsim_value *version, fsim_fn_spec *spec) {
    const fsim_value *name = fsim_value_get(version, "name");
    char full[512];
    if (name == NULL) {
        return fsim_value_missing(version, "name", r->err);
    }
    if (name->kind != FSIM_VALUE_STRING || name->string[0] == '\0') {
        return fsim_value_fail(name, r->err, "expected the version's name");
    }
    for (uint32_t v = 0; v < r->count; v++) {
        if (strcmp(r->spec[v].version, name->string) == 0) {
            return fsim_value_fail(name, r->err, "version \"%s\" is declared twice", name->string);
        }
    }
    int len = snprintf(full, sizeof full, "%s:%s", spec->name, name->string);
    if (len < 0 || (size_t)len >= sizeof full) {
        return fsim_value_fail(name, r->err, "the name is too long");
    }
    spec->version = name->string;
    spec->name = fsim_value_intern(r->scenario->pool, full);
    return spec->name != NULL ? FSIM_OK : fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
}

/* How many provisioned instances there shall be: those at 0 are in the spec like any function's. */
static fsim_status read_provisioned(const reader *r, const fsim_value *version, fsim_fn_spec *spec,
                                    timed *t) {
    FSIM_TRY(read_timed(r, version, "provisioned", (double)COUNT_MAX, true, spec->provisioned, t));
    uint32_t first = t->at_ns[0] == 0 ? 1 : 0, later = t->count - first;
    spec->provisioned = (uint32_t)value_at(t, 0);
    fsim_provisioned_step *steps = fsim_value_pool_alloc(r->scenario->pool, (later + 1u) * sizeof *steps);
    if (steps == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t k = 0; k < later; k++) {
        steps[k] = (fsim_provisioned_step){t->at_ns[first + k], (uint32_t)t->value[first + k]};
    }
    spec->provisioned_steps = steps;
    spec->provisioned_step_count = later;
    return FSIM_OK;
}

static fsim_status read_version(reader *r, fsim_value *version, const fsim_fn_spec *function) {
    fsim_fn_spec *spec = &r->spec[r->count];
    *spec = *function;
    version->used = true;
    FSIM_TRY(fsim_scenario_need_object(version, "a version", r->err));
    FSIM_TRY(refuse_keys_of_function(r, version));
    FSIM_TRY(read_name(r, version, spec));
    const char *full = spec->name;
    FSIM_TRY(read_timed(r, version, "weight", WEIGHT_MAX, false, 1, &r->weight[r->count]));
    FSIM_TRY(read_provisioned(r, version, spec, &r->provisioned[r->count]));
    FSIM_TRY(fsim_scenario_read_function(r->scenario, version, spec, r->err));
    spec->name = full;
    r->count++;
    return FSIM_OK;
}

/* ---- all of them ---- */

static const char *clock_text(fsim_ns at_ns, char *out, size_t size) {
    snprintf(out, size, "%.9gs", fsim_ns_to_s(at_ns));
    return out;
}

static fsim_status read_traffic(const reader *r, fsim_versions_spec *out) {
    uint32_t segments = 0;
    char at[32];
    fsim_ns *from_ns = changes(r, r->weight, &segments);
    double *up_to = fsim_value_pool_alloc(r->scenario->pool, (size_t)segments * r->count * sizeof *up_to);
    const char **names = fsim_value_pool_alloc(r->scenario->pool, r->count * sizeof *names);
    if (from_ns == NULL || up_to == NULL || names == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t s = 0; s < segments; s++) {
        double sum = 0;
        for (uint32_t v = 0; v < r->count; v++) {
            sum += value_at(&r->weight[v], from_ns[s]);
            up_to[(size_t)s * r->count + v] = sum;
        }
        if (sum <= 0) {
            return fsim_value_fail(r->list, r->err,
                                   "from %s on the weights of all versions are 0: requests that name none "
                                   "have nowhere to go",
                                   clock_text(from_ns[s], at, sizeof at));
        }
    }
    for (uint32_t v = 0; v < r->count; v++) {
        names[v] = r->spec[v].version;
    }
    *out = (fsim_versions_spec){r->count, names, segments, from_ns, up_to};
    return FSIM_OK;
}

static fsim_status check_provisioned(const reader *r, uint32_t max_instances) {
    uint32_t count = 0;
    char at[32];
    const fsim_ns *at_ns = changes(r, r->provisioned, &count);
    if (at_ns == NULL) {
        return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
    }
    for (uint32_t k = 0; k < count && max_instances != FSIM_UNLIMITED; k++) {
        double sum = 0;
        for (uint32_t v = 0; v < r->count; v++) {
            sum += value_at(&r->provisioned[v], at_ns[k]);
        }
        if (sum > max_instances) {
            return fsim_value_fail(
                r->list, r->err,
                "from %s on %.0f provisioned instances of all versions together, more than "
                "max_instances %u",
                clock_text(at_ns[k], at, sizeof at), sum, max_instances);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_scenario_read_versions(fsim_scenario *s, const fsim_value *entry, fsim_fn_spec *spec,
                                        const fsim_fn_spec **versions, fsim_error *err) {
    reader r = {.scenario = s, .list = fsim_value_get(entry, "versions"), .err = err};
    *versions = NULL;
    if (r.list == NULL || fsim_value_is_off(r.list)) {
        return FSIM_OK;
    }
    if (r.list->kind != FSIM_VALUE_ARRAY || r.list->count == 0 || r.list->count > VERSIONS_MAX) {
        return fsim_value_fail(r.list, err, "expected an array of 1 to %u versions {name, weight}",
                               VERSIONS_MAX);
    }
    if (strcmp(spec->name, FSIM_TEMPLATE_NAME) == 0) {
        return fsim_value_fail(
            r.list, err, "functions without an entry of their own have no versions: declare the function");
    }
    r.spec = fsim_value_pool_alloc(s->pool, r.list->count * sizeof *r.spec);
    r.weight = fsim_value_pool_alloc(s->pool, r.list->count * sizeof *r.weight);
    r.provisioned = fsim_value_pool_alloc(s->pool, r.list->count * sizeof *r.provisioned);
    fsim_versions_spec *traffic = fsim_value_pool_alloc(s->pool, sizeof *traffic);
    if (r.spec == NULL || r.weight == NULL || r.provisioned == NULL || traffic == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (fsim_value *version = r.list->first; version != NULL; version = version->next) {
        FSIM_TRY(read_version(&r, version, spec));
    }
    FSIM_TRY(read_traffic(&r, traffic));
    FSIM_TRY(check_provisioned(&r, spec->max_instances));
    spec->versions = traffic;
    *versions = r.spec;
    return FSIM_OK;
}

fsim_status fsim_scenario_add_versions(fsim_scenario *s, fsim_fn_id id, const fsim_fn_spec *versions,
                                       const fsim_value *entry, fsim_error *err) {
    const fsim_value *list = fsim_value_peek(entry, "versions");
    fsim_fn_id other;
    for (uint32_t v = 0; versions != NULL && v < list->count; v++) {
        fsim_fn_spec spec = versions[v];
        spec.version_of = id;
        if (fsim_function_table_find(s->functions, spec.name) != FSIM_UNLIMITED) {
            return fsim_value_fail(list, err, "version \"%s\" is what function \"%s\" is called already",
                                   spec.version, spec.name);
        }
        FSIM_TRY(fsim_function_table_add(s->functions, &spec, &other, err));
    }
    return FSIM_OK;
}
