#include "io/policy_load.h"

#include "api/registry.h"
#include "base/text.h"
#include "io/embedded.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <string.h>

#define NAMES_MAX 256

static bool is_bundle(const char *name) {
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        if (strcmp(e->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_scaler(const char *name) {
    for (size_t i = 0; fsim_scaling_registry[i] != NULL; i++) {
        if (strcmp(fsim_scaling_registry[i]->info.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_provisioned(const char *name) {
    for (size_t i = 0; fsim_provisioned_registry[i] != NULL; i++) {
        if (strcmp(fsim_provisioned_registry[i]->info.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static fsim_status fail_unknown(const char *name, fsim_error *err) {
    const char *names[NAMES_MAX + 1];
    size_t n = 0;
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL && n < NAMES_MAX; e++) {
        names[n++] = e->name;
    }
    for (size_t i = 0; fsim_scaling_registry[i] != NULL && n < NAMES_MAX; i++) {
        names[n++] = fsim_scaling_registry[i]->info.name;
    }
    for (size_t i = 0; fsim_provisioned_registry[i] != NULL && n < NAMES_MAX; i++) {
        names[n++] = fsim_provisioned_registry[i]->info.name;
    }
    names[n] = NULL;
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_fail_at(err, FSIM_ECONFIG, name,
                            "no such bundle, scaling or provisioned policy; did you mean \"%s\"?", near);
    }
    return fsim_fail_at(
        err, FSIM_ECONFIG, name,
        "no such bundle, scaling or provisioned policy, expected a name that \"fsim list\" shows, or a "
        ".json file");
}

/* {"bundle": "none", "scaling": …, "binding": "late"}: a scaler may hold requests in front of the instances,
 * which early binding would contradict. Or "provisioned": …. */
static fsim_value *policy_around(fsim_value_pool *pool, fsim_value *one, const char *origin) {
    const fsim_value *name = fsim_value_peek(one, "name");
    bool provisioned =
        name->kind == FSIM_VALUE_STRING && is_provisioned(name->string) && !is_scaler(name->string);
    fsim_value *policy = fsim_value_new(pool, FSIM_VALUE_OBJECT, origin);
    fsim_value_put(pool, policy, "bundle", fsim_value_new_string(pool, "none", origin));
    fsim_value_put(pool, policy, provisioned ? "provisioned" : "scaling", one);
    fsim_value_put(pool, policy, "binding", fsim_value_new_string(pool, "late", origin));
    return policy;
}

/* The document's "policy" and the bundle to ask for: one of the two is given. */
static fsim_status choose(fsim_value_pool *pool, const char *name, fsim_value **policy, const char **bundle,
                          fsim_error *err) {
    static const char origin[] = "the command line";
    size_t len = strlen(name);
    *policy = NULL;
    *bundle = NULL;
    if (len > 5 && strcmp(name + len - 5, ".json") == 0) {
        fsim_value *file;
        FSIM_TRY(fsim_json_read_file(pool, name, &file, err));
        bool scaler = file->kind == FSIM_VALUE_OBJECT && fsim_value_peek(file, "schema") == NULL &&
                      fsim_value_peek(file, "policy") == NULL && fsim_value_peek(file, "name") != NULL;
        *policy = scaler ? policy_around(pool, file, name) : NULL;
        *bundle = scaler ? NULL : name;
    } else if (is_bundle(name)) {
        *bundle = name;
    } else if (is_scaler(name) || is_provisioned(name)) {
        fsim_value *scaling = fsim_value_new(pool, FSIM_VALUE_OBJECT, origin);
        fsim_value_put(pool, scaling, "name", fsim_value_new_string(pool, name, origin));
        *policy = policy_around(pool, scaling, origin);
    } else {
        return fail_unknown(name, err);
    }
    return FSIM_OK;
}

static fsim_status make_document(fsim_value_pool *pool, const char *name, fsim_value **tree,
                                 const char **bundle, fsim_error *err) {
    static const char nothing[] = "{\"schema\": \"" FSIM_SCENARIO_SCHEMA "\", \"name\": \"decide\","
                                  " \"workload\": {\"source\": \"list\", \"arrivals\": []}}";
    fsim_value *policy;
    FSIM_TRY(fsim_json_read_text(pool, nothing, FSIM_ORIGIN_DEFAULT, tree, err));
    FSIM_TRY(choose(pool, name, &policy, bundle, err));
    if (policy != NULL) {
        fsim_value_put(pool, *tree, "policy", policy);
    }
    return FSIM_OK;
}

fsim_status fsim_policy_load(fsim_scenario **out, const char *policy, const fsim_setting *settings,
                             size_t setting_count, fsim_error *err) {
    fsim_load_options options = {.settings = settings, .setting_count = setting_count};
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    *out = NULL;
    if (pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = make_document(pool, policy, &tree, &options.policy, err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
        return status;
    }
    return fsim_scenario_from_tree(out, pool, tree, ".", &options, err);
}
