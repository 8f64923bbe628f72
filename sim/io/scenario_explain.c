#include "io/scenario_explain.h"

#include "io/embedded.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 1024

typedef struct walk {
    fsim_value_pool *pool;
    const fsim_value *sources; /* of the bundle; NULL: none */
    const char *bundle_origin;
    fsim_explain_row *rows; /* NULL while only counting */
    size_t count;
} walk;

/* The place of a value among the sources of a bundle: defaults of functions stand there without a function's
 * name. */
static void source_path(const char *path, char *out, size_t size) {
    static const char functions[] = "functions.";
    const char *rest =
        strncmp(path, functions, sizeof functions - 1) == 0 ? strchr(path + sizeof functions - 1, '.') : NULL;
    snprintf(out, size, "%s%s", rest != NULL ? "function_defaults" : "", rest != NULL ? rest : path);
}

/* The line for the path or, failing that, for what it is a part of. */
static const char *find_source(const walk *w, const fsim_value *value, const char *path) {
    char key[PATH_SIZE];
    if (w->sources == NULL || strcmp(value->origin, w->bundle_origin) != 0) {
        return NULL;
    }
    source_path(path, key, sizeof key);
    for (;;) {
        const fsim_value *line = fsim_value_peek(w->sources, key);
        if (line != NULL && line->kind == FSIM_VALUE_STRING) {
            return line->string;
        }
        char *last = strrchr(key, '.');
        if (last == NULL) {
            return NULL;
        }
        *last = '\0';
    }
}

/* Elements of arrays by their "name", as --set does, unless --set would not find it again. */
static void child_path(const fsim_value *child, size_t index, const char *path, char *out, size_t size) {
    const fsim_value *name = fsim_value_peek(child, "name");
    if (child->key != NULL) {
        snprintf(out, size, "%s%s%s", path, path[0] == '\0' ? "" : ".", child->key);
    } else if (name != NULL && name->kind == FSIM_VALUE_STRING && strpbrk(name->string, ".[]=") == NULL) {
        snprintf(out, size, "%s.%s", path, name->string);
    } else {
        snprintf(out, size, "%s[%zu]", path, index);
    }
}

/* Trees are at most FSIM_JSON_DEPTH_MAX deep: the reader and --set see to that. */
static void visit(walk *w, const fsim_value *value, const char *path) {
    char below[PATH_SIZE];
    size_t index = 0;
    for (const fsim_value *child = value->first; child != NULL; child = child->next) {
        child_path(child, index++, path, below, sizeof below);
        visit(w, child, below);
    }
    if (value->first != NULL) {
        return;
    }
    if (w->rows != NULL) {
        w->rows[w->count] = (fsim_explain_row){
            .path = fsim_value_intern(w->pool, path),
            .value = value,
            .origin = value->origin,
            .source = find_source(w, value, path),
        };
    }
    w->count++;
}

static fsim_status read_sources(walk *w, const char *bundle, fsim_error *err) {
    char origin[128];
    fsim_value *root;
    for (const fsim_embedded *e = fsim_embedded_bundles; e->name != NULL; e++) {
        if (strcmp(e->name, bundle) == 0) {
            snprintf(origin, sizeof origin, "bundle %s", bundle);
            w->bundle_origin = fsim_value_intern(w->pool, origin);
            FSIM_TRY(fsim_json_read_text(w->pool, e->text, w->bundle_origin, &root, err));
            w->sources = fsim_value_peek(root, "sources");
            return FSIM_OK;
        }
    }
    return FSIM_OK;
}

fsim_status fsim_scenario_explain(const fsim_scenario *scenario, const fsim_explain_row **rows, size_t *count,
                                  fsim_error *err) {
    walk w = {.pool = scenario->pool};
    FSIM_TRY(read_sources(&w, scenario->bundle, err));
    visit(&w, scenario->root, "");
    w.rows = fsim_value_pool_alloc(w.pool, (w.count + 1) * sizeof *w.rows);
    if (w.rows == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    w.count = 0;
    visit(&w, scenario->root, "");
    *rows = w.rows;
    *count = w.count;
    return fsim_value_pool_exhausted(w.pool) ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
}
