/* From what the user typed to a validated scenario; see scenario_load.h. */
#include "io/scenario_load.h"

#include "api/registry.h"
#include "base/text.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/fst_reader.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const fsim_load_options no_options = {0};

static bool has_suffix(const char *text, const char *suffix) {
    size_t len = strlen(text), tail = strlen(suffix);
    return len > tail && strcmp(text + len - tail, suffix) == 0;
}

/* The file's name without directory and suffix: what a run is called that has no name of its own. */
static void label_of(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
    const char *point = strrchr(base, '.');
    int len = (int)(point == NULL || point == base ? strlen(base) : (size_t)(point - base));
    snprintf(out, size, "%.*s", len, strcmp(path, "-") == 0 ? "stdin" : base);
}

/* "trace/" is called "trace". */
static void label_of_folder(const char *path, char *out, size_t size) {
    size_t len = strlen(path);
    char copy[FSIM_PATH_MAX];
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    snprintf(copy, sizeof copy, "%.*s", (int)(len < sizeof copy ? len : sizeof copy - 1), path);
    label_of(copy, out, size);
}

static fsim_value *new_document(fsim_value_pool *pool, const char *name, const char *origin) {
    fsim_value *tree = fsim_value_new(pool, FSIM_VALUE_OBJECT, origin);
    fsim_value_put(pool, tree, "schema", fsim_value_new_string(pool, FSIM_SCENARIO_SCHEMA, origin));
    fsim_value_put(pool, tree, "name", fsim_value_new_string(pool, name, origin));
    return tree;
}

/* A trace alone is a scenario that says nothing else. */
static fsim_value *document_of_trace(fsim_value_pool *pool, const char *path) {
    char name[256];
    label_of(path, name, sizeof name);
    const char *origin = fsim_value_intern(pool, strcmp(path, "-") == 0 ? "standard input" : path);
    fsim_value *tree = new_document(pool, strcmp(path, "-") == 0 ? "stdin" : name, origin);
    fsim_value *workload = fsim_value_new(pool, FSIM_VALUE_OBJECT, origin);
    const char *source = has_suffix(path, ".fst") || fsim_fst_is_at(path) ? "fst" : "csv";
    fsim_value_put(pool, workload, "source", fsim_value_new_string(pool, source, origin));
    fsim_value_put(pool, workload, "file", fsim_value_new_string(pool, path, origin));
    fsim_value_put(pool, tree, "workload", workload);
    return tree;
}

static fsim_value *document_of_files(fsim_value_pool *pool, const char *const *files, size_t count) {
    char name[256];
    label_of_folder(files[0], name, sizeof name);
    const char *origin = fsim_value_intern(pool, files[0]);
    fsim_value *tree = new_document(pool, name[0] == '\0' || name[0] == '.' ? "trace" : name, origin);
    fsim_value *workload = fsim_value_new(pool, FSIM_VALUE_OBJECT, origin);
    fsim_value *list = fsim_value_new(pool, FSIM_VALUE_ARRAY, origin);
    for (size_t i = 0; i < count; i++) {
        char path[FSIM_PATH_MAX]; /* "trace/" is "trace" */
        size_t len = strlen(files[i]);
        while (len > 1 && files[i][len - 1] == '/') {
            len--;
        }
        snprintf(path, sizeof path, "%.*s", (int)(len < sizeof path ? len : sizeof path - 1), files[i]);
        fsim_value_append(list, fsim_value_new_string(pool, path, origin));
    }
    fsim_value_put(pool, workload, "source", fsim_value_new_string(pool, "trace", origin));
    fsim_value_put(pool, workload, "files", list);
    fsim_value_put(pool, tree, "workload", workload);
    return tree;
}

/* A JSON file may be a workload alone: an object with a "source" and no "schema". */
static fsim_value *document_of_workload(fsim_value_pool *pool, const char *path, fsim_value *file) {
    char name[256];
    bool alone = file->kind == FSIM_VALUE_OBJECT && fsim_value_peek(file, "schema") == NULL &&
                 fsim_value_peek(file, "source") != NULL;
    if (!alone) {
        return file;
    }
    label_of(path, name, sizeof name);
    fsim_value *tree = new_document(pool, name, file->origin);
    fsim_value_put(pool, tree, "workload", file);
    return tree;
}

/* The scenario in a run's manifest; NULL: it is none. */
static fsim_value *scenario_of_manifest(const fsim_value *file) {
    bool object = file->kind == FSIM_VALUE_OBJECT;
    const fsim_value *schema = object ? fsim_value_peek(file, "schema") : NULL;
    bool manifest = schema != NULL && schema->kind == FSIM_VALUE_STRING &&
                    strcmp(schema->string, FSIM_MANIFEST_SCHEMA) == 0;
    return manifest ? fsim_value_peek(file, "scenario") : NULL;
}

static const fsim_embedded *find_builtin(const char *name) {
    for (const fsim_embedded *e = fsim_embedded_workloads; e->name != NULL; e++) {
        if (strcmp(e->name, name) == 0 && strchr(e->name, '.') == NULL) {
            return e;
        }
    }
    return NULL;
}

static fsim_status fail_no_workload(const char *name, fsim_error *err) {
    const char *names[128];
    size_t n = 0;
    for (const fsim_embedded *e = fsim_embedded_workloads; e->name != NULL && n < 127; e++) {
        if (strchr(e->name, '.') == NULL) {
            names[n++] = e->name;
        }
    }
    names[n] = NULL;
    const char *near = fsim_text_nearest(name, names);
    if (near != NULL) {
        return fsim_fail_at(err, FSIM_EIO, name,
                            "no such file, and no built-in workload of this name; did you mean \"%s\"?",
                            near);
    }
    return fsim_fail_at(
        err, FSIM_EIO, name,
        "no such file, and no built-in workload of this name (\"fsim list workloads\" shows them)");
}

/* Several words are one trace. Somebody who names workloads instead meant something else. */
static fsim_status check_files(const char *const *files, size_t count, fsim_error *err) {
    for (size_t i = 0; i < count && count > 1; i++) {
        if (find_builtin(files[i]) != NULL && access(files[i], F_OK) != 0) {
            return fsim_fail_at(err, FSIM_EUSAGE, files[i],
                                "a built-in workload found among %zu words, expected the files of one trace; "
                                "\"fsim compare\" takes several workloads",
                                count);
        }
    }
    return FSIM_OK;
}

fsim_status fsim_scenario_take_stdin(const fsim_load_options *options, char **text, fsim_error *err) {
    *text = NULL;
    bool named = options->file_count == 0 && options->workload != NULL;
    if (!named || strcmp(options->workload, "-") != 0 || !fsim_json_is_object("-")) {
        return FSIM_OK;
    }
    return fsim_json_load_text("-", text, err);
}

/* The document behind what was typed, and the directory its relative files start at. */
static fsim_status read_document(fsim_value_pool *pool, const fsim_load_options *options, fsim_value **tree,
                                 char *base_dir, size_t size, fsim_error *err) {
    const char *workload = options->workload;
    snprintf(base_dir, size, ".");
    if (options->file_count > 0) {
        FSIM_TRY(check_files(options->files, options->file_count, err));
        *tree = document_of_files(pool, options->files, options->file_count);
        return FSIM_OK;
    }
    if (workload == NULL) {
        return fsim_fail(err, FSIM_EUSAGE, "no workload given");
    }
    const fsim_embedded *builtin = find_builtin(workload);
    if (builtin != NULL) {
        char origin[160];
        snprintf(origin, sizeof origin, "workload %s", workload);
        return fsim_json_read_text(pool, builtin->text, fsim_value_intern(pool, origin), tree, err);
    }
    bool stands = strcmp(workload, "-") == 0 || has_suffix(workload, ".csv");
    if (!stands && access(workload, F_OK) != 0) {
        return fail_no_workload(workload, err);
    }
    if (options->document == NULL && !has_suffix(workload, ".json") && !fsim_json_is_object(workload)) {
        *tree = document_of_trace(pool, workload);
        return FSIM_OK;
    }
    FSIM_TRY(options->document != NULL
                 ? fsim_json_read_text(pool, options->document, "standard input", tree, err)
                 : fsim_json_read_file(pool, workload, tree, err));
    fsim_value *made_from = scenario_of_manifest(*tree);
    /* It names its files without their folders: they are sought where fsim was called. */
    if (made_from != NULL) {
        *tree = made_from;
        return FSIM_OK;
    }
    *tree = document_of_workload(pool, workload, *tree);
    fsim_file_directory(workload, base_dir, size);
    return FSIM_OK;
}

static fsim_status check_document(const fsim_value *tree, fsim_error *err) {
    const char *schema = NULL;
    FSIM_TRY(fsim_scenario_need_object(tree, "a scenario", err));
    FSIM_TRY(fsim_value_get_string(tree, "schema", &schema, err));
    if (schema == NULL) {
        return fsim_value_fail(tree, err, "key \"schema\" is missing, expected \"%s\"", FSIM_SCENARIO_SCHEMA);
    }
    if (strcmp(schema, FSIM_SCENARIO_SCHEMA) != 0) {
        return fsim_value_fail(fsim_value_get(tree, "schema"), err, "found schema \"%s\", expected \"%s\"",
                               schema, FSIM_SCENARIO_SCHEMA);
    }
    return FSIM_OK;
}

/* What the keys that a source lacks stand for; of each that a superposition is of.
 * NOLINTNEXTLINE(misc-no-recursion): at most FSIM_JSON_DEPTH_MAX deep */
static void say_how_traces_are_read(fsim_scenario *s, fsim_value *workload, int depth) {
    const fsim_value *source = fsim_value_peek(workload, "source"), *parts = fsim_value_peek(workload, "of");
    const char *name = source != NULL && source->kind == FSIM_VALUE_STRING ? source->string : "";
    const char *const *pairs = NULL;
    for (const fsim_source_ops *const *ops = fsim_source_registry; *ops != NULL; ops++) {
        if (strcmp((*ops)->name, name) == 0 && (*ops)->defaults != NULL) {
            pairs = (*ops)->defaults(workload, s->base_dir);
        }
    }
    for (; pairs != NULL && *pairs != NULL; pairs += 2) {
        if (fsim_value_peek(workload, pairs[0]) == NULL) {
            fsim_value_put(s->pool, workload, pairs[0],
                           fsim_value_new_string(s->pool, pairs[1], FSIM_ORIGIN_DEFAULT));
        }
    }
    for (fsim_value *part = parts == NULL ? NULL : parts->first; part != NULL; part = part->next) {
        if (part->kind == FSIM_VALUE_OBJECT && depth < FSIM_JSON_DEPTH_MAX) {
            say_how_traces_are_read(s, part, depth + 1);
        }
    }
}

/* Head of the effective tree: what it is called and what arrives. */
static fsim_status read_head(fsim_scenario *s, fsim_error *err) {
    const char *schema = NULL;
    FSIM_TRY(fsim_value_get_string(s->root, "schema", &schema, err));
    FSIM_TRY(fsim_value_get_string(s->root, "name", &s->name, err));
    FSIM_TRY(fsim_value_get_string(s->root, "summary", &s->summary, err));
    if (s->name == NULL || s->name[0] == '\0') {
        s->name = "scenario";
    }
    if (strpbrk(s->name, "/\\") != NULL || s->name[0] == '.') {
        return fsim_value_fail(fsim_value_get(s->root, "name"), err,
                               "\"%s\" names a directory of results: no slash, no point at its beginning",
                               s->name);
    }
    fsim_value *workload = fsim_value_get(s->root, "workload");
    if (workload->kind == FSIM_VALUE_NULL) {
        return fsim_value_missing(s->root, "workload", err);
    }
    FSIM_TRY(fsim_scenario_need_object(workload, "workload", err));
    say_how_traces_are_read(s, workload, 0);
    fsim_value_mark_used(workload);
    s->workload = workload;
    return FSIM_OK;
}

static fsim_status build(fsim_scenario *s, const fsim_value *tree, const fsim_load_options *options,
                         fsim_error *err) {
    FSIM_TRY(check_document(tree, err));
    FSIM_TRY(fsim_scenario_layers(s, tree, options, err));
    FSIM_TRY(read_head(s, err));
    FSIM_TRY(fsim_scenario_read_functions(s, err));
    FSIM_TRY(fsim_scenario_read_policy(s, err));
    FSIM_TRY(fsim_scenario_read_platform(s, err));
    FSIM_TRY(fsim_scenario_read_run(s, err));
    return fsim_value_check_used(s->root, NULL, err);
}

fsim_status fsim_scenario_from_tree(fsim_scenario **out, fsim_value_pool *pool, fsim_value *tree,
                                    const char *base_dir, const fsim_load_options *options, fsim_error *err) {
    fsim_scenario *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) {
        fsim_value_pool_destroy(pool);
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    s->pool = pool;
    s->base_dir = fsim_value_intern(pool, base_dir);
    fsim_status status = build(s, tree, options != NULL ? options : &no_options, err);
    if (status == FSIM_OK && fsim_value_pool_exhausted(pool)) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    if (status != FSIM_OK) {
        fsim_scenario_destroy(s);
        return status;
    }
    *out = s;
    return FSIM_OK;
}

fsim_status fsim_scenario_load(fsim_scenario **out, const fsim_load_options *options, fsim_error *err) {
    char base_dir[FSIM_PATH_MAX];
    fsim_value *tree = NULL;
    fsim_value_pool *pool = fsim_value_pool_create();
    *out = NULL;
    if (pool == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = read_document(pool, options, &tree, base_dir, sizeof base_dir, err);
    if (status != FSIM_OK) {
        fsim_value_pool_destroy(pool);
        return status;
    }
    return fsim_scenario_from_tree(out, pool, tree, base_dir, options, err);
}

fsim_status fsim_scenario_need_object(const fsim_value *value, const char *what, fsim_error *err) {
    if (value == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    return value->kind == FSIM_VALUE_OBJECT ? FSIM_OK
                                            : fsim_value_fail(value, err, "%s: expected an object {…}", what);
}

fsim_status fsim_scenario_get_limit(const fsim_value *object, const char *key, int64_t max, int64_t none,
                                    int64_t *out, fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (fsim_value_is_off(value)) {
        *out = none;
        return FSIM_OK;
    }
    if (value != NULL && value->kind == FSIM_VALUE_INTEGER && value->integer == 0) {
        return fsim_value_fail(value, err,
                               "found a limit of 0, which lets nothing through; null switches it off");
    }
    return fsim_value_get_i64(object, key, 1, max, out, err);
}
