/* Layers of a scenario: built-in defaults, the bundle, the document, the command line; see scenario_parts.h.
 */
#include "base/text.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <stdio.h>
#include <string.h>

/* The lowest layer. What the other layers leave out is what stands here, and `fsim explain` shows it as
 * "default". */
static const char defaults_json[] =
    "{\"schema\": \"" FSIM_SCENARIO_SCHEMA "\", \"name\": \"\", \"workload\": null, \"functions\": [],"
    " \"policy\": {\"bundle\": null, \"binding\": \"early\", \"cancel_start\": false, \"admission\": null,"
    "  \"provisioned\": {\"name\": \"constant\"}},"
    " \"platform\": {\"account_concurrency\": null, \"memory_quota_mb\": null, \"start_rate\": null,"
    "  \"provisioned_start_rate\": null, \"provisioned_together\": false, \"provisioned_delay\": \"0s\", "
    "\"provisioned_claims\": false, \"unreserved_mb\": 0, "
    "\"gateway\": null, \"nodes\": null,"
    "  \"account_instances\": null, \"function_share\": 1, \"memory_quota_status\": 429, "
    "  \"async\": {\"after_error\": [\"1m\", \"2m\"], \"interval\": \"1s\", \"factor\": 2, \"longest\": "
    "\"5m\","
    "   \"max_age\": \"6h\"},"
    "  \"retry\": null},"
    " \"billing\": [\"phase1\", \"phase2\", \"phase3\"],"
    " \"run\": {\"seed\": 1, \"warmup\": \"0s\", \"until\": null, \"replications\": 1, \"threads\": null,"
    "  \"sample\": null, \"start\": \"empty\", \"windows\": null, \"probe\": null, \"exceed\": null,"
    "  \"occupancy\": null}}";

/* What a function is when neither its entry nor the bundle says so. No service time: that is the workload's
 * to know. */
static const char function_defaults_json[] =
    "{\"memory_mb\": 128, \"disk_mb\": 0, \"vcpu\": 0.25, \"concurrency\": 1, \"cpu_model\": \"none\","
    " \"slowdown_per_request\": 0, \"cpu_fraction\": 1, \"background_cpu\": 0, \"freeze\": true, "
    "\"memory_use\": null,"
    " \"max_instances\": null, \"min_instances\": 0, \"provisioned\": 0, \"reserved_concurrency\": null,"
    " \"timeout\": null, \"session\": null, \"cpu_bursts\": null, \"after_response\": null,"
    " \"crash\": null, \"health\": null,"
    " \"invocation\": \"sync\", \"error_rate\": 0, \"cold_start\": \"0s\", \"cold_start_mode\": \"added\"}";

static const char default_bundle[] = "knative";
static const char bundle_path[] = "policy.bundle";
static const char functions_path[] = "functions";

typedef struct layers {
    fsim_scenario *scenario;
    fsim_value_pool *pool;
    const fsim_load_options *options;
    fsim_value *root, *file;
    fsim_value *functions;         /* the array in the root */
    fsim_value *function_defaults; /* what each entry starts from */
    fsim_value *template;          /* the entry "*" */
    fsim_value *implied;           /* the function that nobody declared; NULL: somebody declared some */
    bool functions_declared;
    fsim_error *err;
} layers;

static const char *string_at(const fsim_value *object, const char *key) {
    const fsim_value *value = fsim_value_peek(object, key);
    return value != NULL && value->kind == FSIM_VALUE_STRING ? value->string : NULL;
}

/* The value at root.<section>, made if it is not there. */
static fsim_value *section_of(layers *l, fsim_value *root, const char *section) {
    fsim_value *found = fsim_value_peek(root, section);
    if (found == NULL) {
        found = fsim_value_new(l->pool, FSIM_VALUE_OBJECT, FSIM_ORIGIN_DEFAULT);
        fsim_value_put(l->pool, root, section, found);
    }
    return found;
}

/* ---- policies by name alone ---- */

/* "routing": "random" is short for "routing": {"name": "random"}. For admission "none" is null: no policy;
 * for provisioned it is what the functions say. */
static void expand_short_policies(layers *l, fsim_value *policy) {
    static const char *const kinds[] = {"scaling", "keepalive", "routing", "admission", "provisioned", NULL};
    for (const char *const *kind = kinds; *kind != NULL; kind++) {
        const fsim_value *name = fsim_value_peek(policy, *kind);
        if (strcmp(*kind, "provisioned") == 0 && name != NULL && fsim_value_is_off(name)) {
            name = fsim_value_new_string(l->pool, "constant", name->origin);
        }
        bool short_form = name != NULL && name->kind == FSIM_VALUE_STRING;
        if (!short_form || (strcmp(*kind, "admission") == 0 && fsim_value_is_off(name))) {
            continue;
        }
        fsim_value *object = fsim_value_new(l->pool, FSIM_VALUE_OBJECT, name->origin);
        fsim_value_put(l->pool, object, "name", fsim_value_new_string(l->pool, name->string, name->origin));
        fsim_value_put(l->pool, policy, *kind, object);
    }
}

/* ---- the bundle ---- */

static bool is_json_path(const char *text) {
    size_t len = strlen(text);
    return len > 5 && strcmp(text + len - 5, ".json") == 0;
}

static fsim_status fail_no_bundle(layers *l, const char *name, const char *said_by) {
    const char *names[128];
    size_t n = 0;
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL && n < 127; e++) {
        names[n++] = e->name;
    }
    names[n] = NULL;
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_fail_at(l->err, FSIM_ECONFIG, said_by, "unknown bundle \"%s\"; did you mean \"%s\"?",
                            name, near);
    }
    return fsim_fail_at(
        l->err, FSIM_ECONFIG, said_by,
        "unknown bundle \"%s\", expected a name that \"fsim list bundles\" shows, or a .json file", name);
}

static fsim_status read_builtin_bundle(layers *l, const char *name, const char *said_by, fsim_value **out) {
    char origin[128];
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        if (strcmp(e->name, name) == 0) {
            snprintf(origin, sizeof origin, "bundle %s", name);
            return fsim_json_read_text(l->pool, e->text, fsim_value_intern(l->pool, origin), out, l->err);
        }
    }
    return fail_no_bundle(l, name, said_by);
}

/* Understands every key a bundle may have; what its sections hold is checked in the effective tree. */
static fsim_status check_bundle(const fsim_value *bundle, fsim_error *err) {
    static const char *const sections[] = {"policy", "platform", "function_defaults", "sources", NULL};
    const char *name = NULL, *summary = NULL;
    FSIM_TRY(fsim_value_get_string(bundle, "name", &name, err));
    FSIM_TRY(fsim_value_get_string(bundle, "summary", &summary, err));
    (void)fsim_value_get(bundle, "schema");
    fsim_value_mark_used(fsim_value_get(bundle, "notes")); /* for people */
    for (const char *const *section = sections; *section != NULL; section++) {
        fsim_value *value = fsim_value_get(bundle, *section);
        if (value != NULL) {
            FSIM_TRY(fsim_scenario_need_object(value, *section, err));
            fsim_value_mark_used(value);
        }
    }
    return fsim_value_check_used(bundle, NULL, err);
}

static void lay_bundle(layers *l, const fsim_value *bundle) {
    expand_short_policies(l, fsim_value_peek(bundle, "policy"));
    fsim_value_merge(l->pool, section_of(l, l->root, "policy"), fsim_value_peek(bundle, "policy"));
    fsim_value_merge(l->pool, section_of(l, l->root, "platform"), fsim_value_peek(bundle, "platform"));
    fsim_value_merge(l->pool, l->function_defaults, fsim_value_peek(bundle, "function_defaults"));
}

/* A file is a bundle, or any document with a "policy", which then stands on the bundle that this policy names
 * (or "none"). */
static fsim_status lay_bundle_file(layers *l, const char *path) {
    fsim_value *file, *base;
    FSIM_TRY(fsim_json_read_file(l->pool, path, &file, l->err));
    FSIM_TRY(fsim_scenario_need_object(file, "a bundle", l->err));
    const char *schema = string_at(file, "schema");
    const fsim_value *policy = fsim_value_peek(file, "policy");
    if (schema != NULL && strcmp(schema, FSIM_BUNDLE_SCHEMA) == 0) {
        FSIM_TRY(check_bundle(file, l->err));
    } else if (policy == NULL || policy->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(file, l->err, "found neither the schema \"%s\" nor a \"policy\" object",
                               FSIM_BUNDLE_SCHEMA);
    } else {
        const char *below = string_at(policy, "bundle");
        FSIM_TRY(read_builtin_bundle(l, below != NULL ? below : "none", path, &base));
        lay_bundle(l, base);
    }
    lay_bundle(l, file);
    return FSIM_OK;
}

/* Who names the bundle: --policy, --set policy.bundle, the document, and else nobody. */
static void choose_bundle(const layers *l, const char **name, const char **origin) {
    const fsim_load_options *options = l->options;
    const fsim_value *said = fsim_value_peek(fsim_value_peek(l->file, "policy"), "bundle");
    *name = default_bundle;
    *origin = FSIM_ORIGIN_DEFAULT;
    if (said != NULL && said->kind == FSIM_VALUE_STRING) {
        *name = said->string;
        *origin = said->origin;
    }
    for (size_t i = 0; i < options->setting_count; i++) {
        if (strcmp(options->settings[i].path, bundle_path) == 0) {
            *name = options->settings[i].text;
            *origin = options->settings[i].origin;
        }
    }
    if (options->policy != NULL) {
        *name = options->policy;
        *origin = "--policy";
    }
}

/* The name a bundle has in results: a file's own "name", or its file name without the suffix. */
static const char *bundle_label(layers *l, const char *name) {
    if (!is_json_path(name)) {
        return fsim_value_intern(l->pool, name);
    }
    const char *slash = strrchr(name, '/'), *base = slash == NULL ? name : slash + 1;
    char label[256];
    snprintf(label, sizeof label, "%.*s", (int)(strlen(base) - strlen(".json")), base);
    return fsim_value_intern(l->pool, label);
}

static fsim_status lay_chosen_bundle(layers *l) {
    const char *name, *origin;
    fsim_value *bundle;
    choose_bundle(l, &name, &origin);
    if (is_json_path(name)) {
        FSIM_TRY(lay_bundle_file(l, name));
    } else {
        FSIM_TRY(read_builtin_bundle(l, name, origin, &bundle));
        FSIM_TRY(check_bundle(bundle, l->err));
        lay_bundle(l, bundle);
    }
    l->scenario->bundle = bundle_label(l, name);
    fsim_value_put(l->pool, section_of(l, l->root, "policy"), "bundle",
                   fsim_value_new_string(l->pool, name, origin));
    return FSIM_OK;
}

/* ---- the document ---- */

/* Its policy section was written for the bundle it names: under another one (--policy) it says nothing. */
static fsim_status lay_policy(layers *l) {
    fsim_value *over = fsim_value_peek(l->file, "policy");
    if (over == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(over, "policy", l->err));
    fsim_value *policy = section_of(l, l->root, "policy");
    const char *named = string_at(over, "bundle"), *chosen = string_at(policy, "bundle");
    const fsim_value *said = fsim_value_peek(over, "bundle");
    if (said != NULL && named == NULL) {
        return fsim_value_fail(said, l->err, "expected the name of a bundle");
    }
    if (named == NULL || strcmp(named, chosen) == 0) {
        expand_short_policies(l, over);
        fsim_value_merge(l->pool, policy, over);
    }
    return FSIM_OK;
}

static fsim_status lay_document(layers *l) {
    FSIM_TRY(lay_policy(l));
    for (const fsim_value *over = l->file->first; over != NULL; over = over->next) {
        if (strcmp(over->key, "policy") == 0 || strcmp(over->key, "functions") == 0) {
            continue;
        }
        fsim_value *below = fsim_value_peek(l->root, over->key);
        if (below != NULL && below->kind == FSIM_VALUE_OBJECT) {
            FSIM_TRY(fsim_scenario_need_object(over, over->key, l->err));
            fsim_value_merge(l->pool, below, over);
        } else {
            fsim_value_put(l->pool, l->root, over->key, fsim_value_copy(l->pool, over));
        }
    }
    return FSIM_OK;
}

/* ---- functions ---- */

/* "{…}" and "[…]"; all else is a scalar. */
static bool is_json_text(const char *text) {
    return text[0] == '{' || text[0] == '[';
}

/* Adds an entry: defaults (or another entry) with `over` on top. */
static fsim_value *add_function(layers *l, const fsim_value *below, const fsim_value *over, const char *name,
                                const char *origin) {
    fsim_value *entry = fsim_value_new(l->pool, FSIM_VALUE_OBJECT, origin);
    fsim_value_put(l->pool, entry, "name", fsim_value_new_string(l->pool, name, origin));
    for (const fsim_value *child = below->first; child != NULL; child = child->next) {
        if (strcmp(child->key, "name") != 0) {
            fsim_value_put(l->pool, entry, child->key, fsim_value_copy(l->pool, child));
        }
    }
    fsim_value_merge(l->pool, entry, over);
    fsim_value_append(l->functions, entry);
    return entry;
}

/* Who lists the functions: --set functions=[…], the last one, --functions, the document, and else nobody. */
static fsim_status find_functions(layers *l, const fsim_value **out) {
    fsim_value *said = NULL;
    for (size_t i = l->options->setting_count; i > 0; i--) {
        const fsim_setting *s = &l->options->settings[i - 1];
        if (strcmp(s->path, functions_path) == 0) {
            FSIM_TRY(is_json_text(s->text)
                         ? fsim_json_read_text(l->pool, s->text, s->origin, &said, l->err)
                         : fsim_fail_at(l->err, FSIM_ECONFIG, s->origin,
                                        "functions: '%.100s' found, expected an array of objects", s->text));
            *out = said;
            return FSIM_OK;
        }
    }
    *out = fsim_value_peek(l->file, functions_path);
    if (l->options->functions_file != NULL) {
        FSIM_TRY(fsim_json_read_file(l->pool, l->options->functions_file, &said, l->err));
        *out = said;
    }
    return FSIM_OK;
}

/* The declared functions, each on top of the defaults, and the template. */
static fsim_status lay_functions(layers *l) {
    const fsim_value *declared;
    FSIM_TRY(find_functions(l, &declared));
    l->functions =
        fsim_value_new(l->pool, FSIM_VALUE_ARRAY, declared != NULL ? declared->origin : FSIM_ORIGIN_DEFAULT);
    fsim_value_put(l->pool, l->root, "functions", l->functions);
    if (declared != NULL && declared->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(declared, l->err, "functions: expected an array of objects");
    }
    for (const fsim_value *over = declared == NULL ? NULL : declared->first; over != NULL;
         over = over->next) {
        FSIM_TRY(fsim_scenario_need_object(over, "a function", l->err));
        const fsim_value *name = fsim_value_peek(over, "name");
        if (name == NULL) {
            return fsim_value_missing(over, "name", l->err);
        }
        if (name->kind != FSIM_VALUE_STRING || name->string[0] == '\0') {
            return fsim_value_fail(name, l->err, "expected the function's name");
        }
        fsim_value *entry = add_function(l, l->function_defaults, over, name->string, over->origin);
        if (strcmp(name->string, FSIM_TEMPLATE_NAME) == 0) {
            l->template = entry;
        } else {
            l->functions_declared = true;
        }
    }
    if (l->template == NULL) {
        l->template = add_function(l, l->function_defaults, NULL, FSIM_TEMPLATE_NAME, FSIM_ORIGIN_DEFAULT);
    }
    return FSIM_OK;
}

/* ---- the command line ---- */

static bool is_about_template(const char *path) {
    static const char prefix[] = "functions." FSIM_TEMPLATE_NAME;
    return strncmp(path, prefix, sizeof prefix - 1) == 0;
}

/* What has defaults of its own, by which the rest of it goes on standing: policy, platform, run, a function.
 */
static fsim_value *section_at(const layers *l, const char *path) {
    static const char *const sections[] = {"policy", "platform", "run", NULL};
    for (size_t i = 0; sections[i] != NULL; i++) {
        if (strcmp(path, sections[i]) == 0) {
            return fsim_value_peek(l->root, path);
        }
    }
    size_t index = 0;
    for (fsim_value *entry = l->functions->first; entry != NULL; entry = entry->next, index++) {
        char by_index[48];
        const char *name = string_at(entry, "name");
        snprintf(by_index, sizeof by_index, "functions[%zu]", index);
        if (strcmp(path, by_index) == 0 ||
            (name != NULL && strncmp(path, "functions.", 10) == 0 && strcmp(path + 10, name) == 0)) {
            return entry;
        }
    }
    return NULL;
}

/* JSON replaces what is there; of a section it is laid on top, as in a document. */
static fsim_status lay_json(layers *l, const fsim_setting *s) {
    fsim_value *value, *section = section_at(l, s->path);
    FSIM_TRY(fsim_json_read_text(l->pool, s->text, s->origin, &value, l->err));
    if (section == NULL || value->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_set_value(l->pool, l->root, s->path, value, s->origin, l->err);
    }
    if (strcmp(s->path, "policy") == 0) {
        const char *named = string_at(value, "bundle");
        if (named != NULL && strcmp(named, string_at(section, "bundle")) != 0) {
            return fsim_fail_at(
                l->err, FSIM_ECONFIG, s->origin,
                "policy: the bundle is chosen by --policy %.100s or --set policy.bundle=%.100s", named,
                named);
        }
        expand_short_policies(l, value);
    }
    fsim_value_merge(l->pool, section, value);
    return FSIM_OK;
}

/* Of a trace that nobody has read yet. */
static bool names_stranger(const layers *l, const char *path) {
    static const char prefix[] = "functions.";
    bool by_name = l->implied != NULL && strncmp(path, prefix, sizeof prefix - 1) == 0;
    for (const fsim_value *entry = l->functions->first; by_name && entry != NULL; entry = entry->next) {
        const char *name = string_at(entry, "name");
        size_t len = name == NULL ? 0 : strlen(name);
        by_name = name == NULL || strncmp(path + sizeof prefix - 1, name, len) != 0 ||
                  strchr(".", path[sizeof prefix - 1 + len]) == NULL; /* finds '\0' too */
    }
    return by_name;
}

static fsim_status lay_setting(layers *l, const fsim_setting *s) {
    if (names_stranger(l, s->path)) {
        return fsim_fail_at(l->err, FSIM_ECONFIG, s->origin,
                            "%.200s: no function of this name is declared, only \"" FSIM_IMPLIED_NAME
                            "\"; --functions FILE declares those of a trace, functions.* means all of them",
                            s->path);
    }
    return is_json_text(s->text) ? lay_json(l, s)
                                 : fsim_value_set(l->pool, l->root, s->path, s->text, s->origin, l->err);
}

/* A function that settings have added ("functions[2].name=b") stands on the defaults, too. */
static void complete_functions(layers *l) {
    for (fsim_value *entry = l->functions->first; entry != NULL; entry = entry->next) {
        for (const fsim_value *child = l->function_defaults->first; child != NULL; child = child->next) {
            if (entry->kind == FSIM_VALUE_OBJECT && fsim_value_peek(entry, child->key) == NULL) {
                fsim_value_put(l->pool, entry, child->key, fsim_value_copy(l->pool, child));
            }
        }
    }
}

static bool is_about_implied(const layers *l, const char *path) {
    static const char by_name[] = "functions." FSIM_IMPLIED_NAME, by_index[] = "functions[";
    return l->implied != NULL && (strncmp(path, by_index, sizeof by_index - 1) == 0 ||
                                  (strncmp(path, by_name, sizeof by_name - 1) == 0 &&
                                   strchr(".", path[sizeof by_name - 1]) != NULL)); /* finds '\0' too */
}

/* Settings of the template come first: the default function "fn", if there is no other, is made from it. */
static fsim_status lay_settings(layers *l, bool about_template) {
    for (size_t i = 0; i < l->options->setting_count; i++) {
        const fsim_setting *s = &l->options->settings[i];
        bool read = strcmp(s->path, bundle_path) == 0 || strcmp(s->path, functions_path) == 0;
        if (!read && is_about_template(s->path) == about_template) {
            FSIM_TRY(lay_setting(l, s));
            if (is_about_implied(l, s->path)) {
                l->implied->origin = s->origin; /* somebody has said it now */
            }
            expand_short_policies(l, fsim_value_peek(l->root, "policy"));
        }
    }
    return FSIM_OK;
}

static fsim_status read_defaults(layers *l) {
    static const char origin[] = FSIM_ORIGIN_DEFAULT;
    FSIM_TRY(fsim_json_read_text(l->pool, defaults_json, origin, &l->root, l->err));
    return fsim_json_read_text(l->pool, function_defaults_json, origin, &l->function_defaults, l->err);
}

fsim_status fsim_scenario_layers(fsim_scenario *scenario, const fsim_value *file,
                                 const fsim_load_options *options, fsim_error *err) {
    layers l = {.scenario = scenario,
                .pool = scenario->pool,
                .options = options,
                .file = fsim_value_copy(scenario->pool, file),
                .err = err};
    FSIM_TRY(read_defaults(&l));
    l.root->origin = file->origin; /* a key that nobody says is missing there */
    FSIM_TRY(lay_chosen_bundle(&l));
    FSIM_TRY(lay_document(&l));
    FSIM_TRY(lay_functions(&l));
    FSIM_TRY(lay_settings(&l, true));
    if (!l.functions_declared) {
        l.implied = add_function(&l, l.template, NULL, FSIM_IMPLIED_NAME, FSIM_ORIGIN_DEFAULT);
    }
    FSIM_TRY(lay_settings(&l, false));
    complete_functions(&l);
    scenario->root = l.root;
    return fsim_value_pool_exhausted(l.pool) ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}
