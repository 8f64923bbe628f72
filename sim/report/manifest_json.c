#include "report/manifest_json.h"

#include "base/sha256.h"
#include "io/file.h"
#include "report/summary_json.h"
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* An element of "files": a file or folder of a public trace. */
static bool names_trace(const fsim_value *value) {
    return value->kind == FSIM_VALUE_STRING && value->key == NULL && value->parent != NULL &&
           value->parent->kind == FSIM_VALUE_ARRAY && value->parent->key != NULL &&
           strcmp(value->parent->key, "files") == 0;
}

/* "file" and "profile", and the elements of "files". */
static bool names_file(const fsim_value *value) {
    return value->kind == FSIM_VALUE_STRING &&
           (names_trace(value) ||
            (value->key != NULL && (strcmp(value->key, "file") == 0 || strcmp(value->key, "profile") == 0)));
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- the scenario as JSON ---- */

static bool is_left_out(const fsim_value *value) {
    return value->key != NULL && strcmp(value->key, "threads") == 0 && value->parent != NULL &&
           value->parent->key != NULL && strcmp(value->parent->key, "run") == 0;
}

/* The function that nobody declared: another run of the scenario implies it again. */
static bool is_implied(const fsim_value *value) {
    const fsim_value *name = fsim_value_peek(value, "name"), *list = value->parent;
    return value->kind == FSIM_VALUE_OBJECT && strcmp(value->origin, FSIM_ORIGIN_DEFAULT) == 0 &&
           list->key != NULL && strcmp(list->key, "functions") == 0 && name != NULL &&
           name->kind == FSIM_VALUE_STRING && strcmp(name->string, "*") != 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most FSIM_JSON_DEPTH_MAX deep */
static json_t *to_json(const fsim_value *value) {
    json_t *out = NULL;
    bool ok = true;
    switch (value->kind) {
    case FSIM_VALUE_NULL: return json_null();
    case FSIM_VALUE_BOOL: return json_boolean(value->boolean);
    case FSIM_VALUE_INTEGER: return json_integer(value->integer);
    case FSIM_VALUE_REAL: return json_real(value->real);
    case FSIM_VALUE_STRING: return json_string(names_file(value) ? base_name(value->string) : value->string);
    case FSIM_VALUE_ARRAY:
        out = json_array();
        for (const fsim_value *child = value->first; child != NULL; child = child->next) {
            ok = (is_implied(child) || json_array_append_new(out, to_json(child)) == 0) && ok;
        }
        break;
    case FSIM_VALUE_OBJECT:
        out = json_object();
        for (const fsim_value *child = value->first; child != NULL; child = child->next) {
            ok = (is_left_out(child) || json_object_set_new(out, child->key, to_json(child)) == 0) && ok;
        }
        break;
    }
    if (!ok) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

/* ---- the files it names ---- */

/* False: no regular file. */
static bool hash_file(const char *path, char hex[FSIM_SHA256_TEXT_SIZE], json_int_t *bytes) {
    struct stat about;
    FILE *file = NULL;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) || fsim_file_open(path, &file, NULL) != FSIM_OK) {
        return false;
    }
    fsim_sha256 hash;
    unsigned char buffer[16384];
    size_t n;
    fsim_sha256_begin(&hash);
    *bytes = 0;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        fsim_sha256_add(&hash, buffer, n);
        *bytes += (json_int_t)n;
    }
    bool ok = ferror(file) == 0;
    fsim_file_close(file);
    fsim_sha256_end(&hash, hex);
    return ok;
}

/* Functions may share a profile, and a file is one input however often it is named. */
static bool add_once(json_t *inputs, json_t *input) {
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        if (json_equal(json_array_get(inputs, i), input)) {
            json_decref(input);
            return true;
        }
    }
    return json_array_append_new(inputs, input) == 0;
}

static bool add_file(json_t *inputs, const char *name, const char *path) {
    char hex[FSIM_SHA256_TEXT_SIZE];
    json_int_t bytes;
    json_t *input = json_pack("{s:s}", "file", name);
    bool ok = input != NULL;
    if (ok && path != NULL && hash_file(path, hex, &bytes)) {
        ok = json_object_set_new(input, "bytes", json_integer(bytes)) == 0 &&
             json_object_set_new(input, "sha256", json_string(hex)) == 0;
    }
    return add_once(inputs, input) && ok;
}

/* What one element of "files" stands for. */
typedef struct trace_files {
    json_t *inputs;
    const char *name; /* of the file or folder, without those above it */
    size_t path_len;  /* of its path: the paths of its files go on behind that */
    bool ok;
} trace_files;

static bool add_trace_file(void *user, const char *path) {
    trace_files *files = user;
    char name[FSIM_PATH_MAX];
    snprintf(name, sizeof name, "%s%s", files->name, path + files->path_len);
    files->ok = add_file(files->inputs, name, path);
    return files->ok;
}

static bool add_named(json_t *inputs, const fsim_scenario *scenario, const fsim_value *value) {
    char path[FSIM_PATH_MAX];
    const char *name = base_name(value->string);
    bool found = fsim_file_resolve(scenario->base_dir, value->string, path, sizeof path, NULL) == FSIM_OK;
    size_t len = found ? strlen(path) : 0;
    if (found && names_trace(value)) { /* "trace/" is "trace" */
        while (len > 1 && path[len - 1] == '/') {
            path[--len] = '\0';
        }
        name = base_name(path);
    }
    trace_files files = {.inputs = inputs, .name = name, .path_len = len, .ok = true};
    if (found && names_trace(value) && fsim_trace_list(path, add_trace_file, &files, NULL) == FSIM_OK) {
        return files.ok;
    }
    return files.ok && add_file(inputs, name, found ? path : NULL);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most FSIM_JSON_DEPTH_MAX deep */
static bool collect_inputs(json_t *inputs, const fsim_scenario *scenario, const fsim_value *value) {
    if (value->kind == FSIM_VALUE_ARRAY || value->kind == FSIM_VALUE_OBJECT) {
        for (const fsim_value *child = value->first; child != NULL; child = child->next) {
            if (!collect_inputs(inputs, scenario, child)) {
                return false;
            }
        }
        return true;
    }
    return !names_file(value) || add_named(inputs, scenario, value);
}

json_t *fsim_manifest_inputs(const fsim_scenario *scenario) {
    json_t *inputs = json_array();
    if (inputs != NULL && scenario->root != NULL && !collect_inputs(inputs, scenario, scenario->root)) {
        json_decref(inputs);
        return NULL;
    }
    return inputs;
}

void fsim_manifest_inputs_free(json_t *inputs) {
    json_decref(inputs);
}

/* ---- the documents ---- */

/* Of the compact text of both. */
static bool hash_all(const json_t *scenario, const json_t *inputs, char hex[FSIM_SHA256_TEXT_SIZE]) {
    const json_t *const parts[] = {scenario, inputs};
    fsim_sha256 hash;
    fsim_sha256_begin(&hash);
    for (int i = 0; i < 2; i++) {
        char *text = json_dumps(parts[i], JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        if (text == NULL) {
            return false;
        }
        fsim_sha256_add(&hash, text, strlen(text));
        free(text);
    }
    fsim_sha256_end(&hash, hex);
    return true;
}

char *fsim_manifest_dump(const fsim_scenario *scenario, const fsim_result *result, json_t *inputs) {
    char hex[FSIM_SHA256_TEXT_SIZE];
    char *text = NULL;
    json_t *tree = scenario->root == NULL ? json_object() : to_json(scenario->root);
    if (tree != NULL && inputs != NULL && hash_all(tree, inputs, hex)) {
        json_t *manifest =
            json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:O, s:O}", "schema", FSIM_MANIFEST_SCHEMA, "name",
                      scenario->name, "policy", result->policy, "seed", (json_int_t)result->seed, "version",
                      FSIM_VERSION, "input_sha256", hex, "inputs", inputs, "scenario", tree);
        text = manifest != NULL ? json_dumps(manifest, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
        json_decref(manifest);
    }
    json_decref(tree);
    return text;
}

char *fsim_invoice_dump(const json_t *summary) {
    json_t *invoice = json_pack(
        "{s:s, s:O, s:O, s:O}", "schema", "fsim.invoice/1", "name", json_object_get(summary, "name"),
        "policy", json_object_get(summary, "policy"), "bills", json_object_get(summary, "bills"));
    char *text = invoice != NULL ? fsim_summary_dump(invoice) : NULL;
    json_decref(invoice);
    return text;
}
