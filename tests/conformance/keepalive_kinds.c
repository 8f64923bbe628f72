/* Keep-alive vectors (keepalive.json): runs of cached instances under memory pressure, through the public
 * engine as `list` workloads. Each vector says which arrivals are warm and which functions are evicted when;
 * here: warm or cold of every arrival, and how often each function was evicted. */
#include "conformance.h"

#include "oracle/random_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRIVALS_MAX 1024

typedef struct outcome {
    size_t count;
    bool cold[ARRIVALS_MAX];
} outcome;

/* Requests never overlap, so they end in order of arrival. */
static fsim_status note_request(void *user, const fsim_request_row *row, fsim_error *err) {
    outcome *o = user;
    (void)err;
    if (o->count < ARRIVALS_MAX) {
        o->cold[o->count++] = row->cold;
    }
    return FSIM_OK;
}

static json_int_t integer(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static void print_policy(FILE *out, const json_t *params) {
    if (strcmp(string(params, "policy"), "ttl") == 0) {
        fprintf(out, "{\"name\": \"fixed\", \"window\": \"%llds\"}", (long long)integer(params, "ttl_s"));
    } else {
        fprintf(out, "{\"name\": \"%s\", \"memory\": \"%lldMB\"}", string(params, "policy"),
                (long long)integer(params, "memory_mb"));
    }
}

/* As a scenario; the caller frees it. Cost is what a cold run takes longer than a warm one. */
static char *print_scenario(const json_t *vector) {
    char *text = NULL;
    size_t size = 0, i;
    json_t *row;
    FILE *out = open_memstream(&text, &size);
    fsim_assert(out != NULL);
    fputs("{\"schema\": \"fsim.scenario/1\", \"name\": \"keepalive\", \"functions\": [", out);
    json_array_foreach(json_object_get(vector, "functions"), i, row) {
        json_int_t warm = integer(row, "warm_run_ms");
        fprintf(
            out,
            "%s{\"name\": \"%s\", \"memory_mb\": %lld, \"service\": \"%lldms\", \"cold_start\": \"%lldms\"}",
            i > 0 ? ", " : "", string(row, "name"), (long long)integer(row, "memory_mb"), (long long)warm,
            (long long)(integer(row, "cold_run_ms") - warm));
    }
    fputs("], \"workload\": {\"source\": \"list\", \"arrivals\": [", out);
    json_array_foreach(json_object_get(vector, "arrivals"), i, row) {
        fprintf(out, "%s{\"arrival\": \"%lldms\", \"function\": \"%s\"}", i > 0 ? ", " : "",
                (long long)integer(row, "t_ms"), string(row, "fn"));
    }
    fputs("]}, \"policy\": {\"bundle\": \"none\", \"scaling\": {\"name\": \"per_request\"}, \"binding\": "
          "\"early\", "
          "\"routing\": {\"name\": \"newest_idle\"}, \"keepalive\": ",
          out);
    print_policy(out, json_object_get(vector, "params"));
    fputs("}, \"platform\": {\"queue\": {\"capacity\": 0}}, \"billing\": []}", out);
    fclose(out);
    return text;
}

static uint64_t evictions(const json_t *expect, const char *function) {
    size_t i, k;
    json_t *at_arrival, *name;
    uint64_t n = 0;
    json_array_foreach(json_object_get(expect, "evicted"), i, at_arrival) {
        json_array_foreach(at_arrival, k, name) {
            n += strcmp(json_string_value(name), function) == 0;
        }
    }
    return n;
}

static void judge(conformance *c, const json_t *vector, const outcome *o, const fsim_result *r) {
    const json_t *expect = json_object_get(vector, "expect");
    const char *id = string(vector, "id");
    char want[160], got[160];
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(expect, "results"), i, row) {
        const char *heat = i >= o->count ? "nothing" : o->cold[i] ? "cold" : "warm";
        if (strcmp(heat, json_string_value(row)) != 0) {
            snprintf(want, sizeof want, "arrival %zu %s", i, json_string_value(row));
            conformance_fail(c, id, want, heat);
            return;
        }
    }
    json_array_foreach(json_object_get(vector, "functions"), i, row) {
        const char *name = string(row, "name");
        fsim_fn_id fn = fsim_function_table_find(r->functions, name);
        uint64_t expected = evictions(expect, name),
                 removed = fn == FSIM_UNLIMITED ? 0 : r->per_function[fn].n.removed;
        if (json_object_get(expect, "evicted") != NULL && expected != removed) {
            snprintf(want, sizeof want, "%llu evictions of %s", (unsigned long long)expected, name);
            snprintf(got, sizeof got, "%llu", (unsigned long long)removed);
            conformance_fail(c, id, want, got);
            return;
        }
    }
    conformance_pass(c, id);
}

static bool all_are(const json_t *array, json_type type) {
    size_t i;
    json_t *entry;
    bool are = json_is_array(array);
    json_array_foreach(array, i, entry) {
        are = are && json_typeof(entry) == type;
    }
    return are;
}

/* What a vector must have to be judged; NULL: it has. */
static const char *what_lacks(const json_t *vector) {
    const json_t *expect = json_object_get(vector, "expect"), *arrivals = json_object_get(vector, "arrivals");
    const json_t *results = json_object_get(expect, "results"), *evicted = json_object_get(expect, "evicted");
    if (!all_are(json_object_get(vector, "functions"), JSON_OBJECT)) {
        return "functions: an array of objects";
    }
    if (!all_are(arrivals, JSON_OBJECT) || json_array_size(arrivals) > ARRIVALS_MAX) {
        return "arrivals: an array of at most 1024 objects";
    }
    if (!all_are(results, JSON_STRING) || json_array_size(results) != json_array_size(arrivals)) {
        return "expect.results: a text for each arrival";
    }
    bool named = evicted == NULL || all_are(evicted, JSON_ARRAY);
    size_t i;
    json_t *at_arrival;
    json_array_foreach(evicted, i, at_arrival) {
        named = named && all_are(at_arrival, JSON_STRING);
    }
    return named ? NULL : "expect.evicted: an array of names for each arrival";
}

static void run_keepalive(conformance *c, const json_t *vector) {
    const char *lacks = what_lacks(vector);
    if (lacks != NULL) {
        conformance_fail(c, string(vector, "id"), lacks, "a malformed vector");
        return;
    }
    const char *policy = string(json_object_get(vector, "params"), "policy");
    static const char *const known[] = {"greedy_dual", "lru", "ttl"};
    bool supported = false;
    for (size_t i = 0; i < 3; i++) {
        supported = supported || strcmp(policy, known[i]) == 0;
    }
    if (!supported) {
        char reason[96];
        snprintf(reason, sizeof reason, "no keep-alive policy \"%.40s\" here", policy);
        conformance_skip(c, string(vector, "id"), reason);
        return;
    }
    static outcome o;
    char *text = print_scenario(vector);
    o.count = 0;
    fsim_result *result = engine_run(text, 1, note_request, &o);
    free(text);
    if (result == NULL) {
        conformance_fail(c, string(vector, "id"), "a run", "an error");
        return;
    }
    judge(c, vector, &o, result);
    fsim_result_destroy(result);
}

static void skip_forecast(conformance *c, const json_t *vector) {
    conformance_skip(c, string(vector, "id"),
                     "keep-alive that learns idle times or forecasts them: no such policy here");
}

const conformance_kind keepalive_kinds[] = {{"keepalive_run", run_keepalive},
                                            {"hybrid_histogram", skip_forecast},
                                            {"fourier_forecast", skip_forecast},
                                            {NULL, NULL}};
