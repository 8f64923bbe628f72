/* fsim list: what there is to choose from, read from the registries and the embedded files. */
#include "api/registry.h"
#include "base/distribution.h"
#include "base/text.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "io/embedded.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

typedef struct list_values {
    int format;
} list_values;

static const char *const formats[] = {"text", "json", NULL};

static const fsim_option options[] = {
    FSIM_OPTION_ROW_FORMAT(list_values, formats),
    {.name = NULL},
};

/* Each kind makes an array of {name, summary, …}; the text is printed from the same document. */

static json_t *string_or_empty(const char *text) {
    return json_string(text == NULL ? "" : text);
}

/* A bundle, workload or book says about itself what its keys say. */
static json_t *about_file(const fsim_embedded *file, const char *const *keys) {
    json_t *about = json_pack("{s:s}", "name", file->name);
    json_t *root = json_loads(file->text, 0, NULL); /* NULL: not a JSON file; its name is all there is */
    for (; root != NULL && *keys != NULL; keys++) {
        json_t *value = json_object_get(root, *keys);
        if (json_is_string(value) || json_is_object(value)) {
            json_object_set(about, *keys, value);
        }
    }
    json_decref(root);
    return about;
}

static json_t *list_files(const fsim_embedded *files, const char *const *keys) {
    json_t *list = json_array();
    for (; files->name != NULL; files++) {
        if (strchr(files->name, '.') == NULL || files->text[0] == '{') {
            json_array_append_new(list, about_file(files, keys));
        }
    }
    return list;
}

static json_t *list_params(const fsim_param *param) {
    json_t *list = json_array();
    for (; param != NULL && param->name != NULL; param++) {
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:o}", "name", param->name, "default",
                            param->fallback == NULL ? json_null() : json_string(param->fallback), "unit",
                            string_or_empty(param->unit), "summary", string_or_empty(param->help)));
    }
    return list;
}

static void add_policy(json_t *list, const char *kind, const fsim_policy_info *info) {
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", info->name, "kind", kind, "summary",
                                    string_or_empty(info->summary), "source", string_or_empty(info->source),
                                    "params", list_params(info->params)));
}

static json_t *list_policies(void) {
    json_t *list = json_array();
    for (size_t i = 0; fsim_scaling_registry[i] != NULL; i++) {
        add_policy(list, "scaling", &fsim_scaling_registry[i]->info);
    }
    for (size_t i = 0; fsim_keepalive_registry[i] != NULL; i++) {
        add_policy(list, "keepalive", &fsim_keepalive_registry[i]->info);
    }
    for (size_t i = 0; fsim_routing_registry[i] != NULL; i++) {
        add_policy(list, "routing", &fsim_routing_registry[i]->info);
    }
    for (size_t i = 0; fsim_admission_registry[i] != NULL; i++) {
        add_policy(list, "admission", &fsim_admission_registry[i]->info);
    }
    for (size_t i = 0; fsim_provisioned_registry[i] != NULL; i++) {
        add_policy(list, "provisioned", &fsim_provisioned_registry[i]->info);
    }
    return list;
}

static json_t *list_bundles(void) {
    static const char *const keys[] = {"summary", "sources", NULL};
    return list_files(fsim_embedded_bundles, keys);
}

static json_t *list_workloads(void) {
    static const char *const keys[] = {"summary", NULL};
    return list_files(fsim_embedded_workloads, keys);
}

static json_t *list_books(void) {
    static const char *const keys[] = {"title", "provider", "product", "region", "currency", NULL};
    json_t *list = list_files(fsim_embedded_books, keys);
    size_t i;
    json_t *book;
    json_array_foreach(list, i, book) {
        json_object_set(book, "summary", json_object_get(book, "title"));
        json_object_del(book, "title");
    }
    return list;
}

static json_t *list_sources(void) {
    json_t *list = json_array();
    for (size_t i = 0; fsim_source_registry[i] != NULL; i++) {
        const fsim_source_ops *source = fsim_source_registry[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", source->name, "summary",
                                              string_or_empty(source->summary), "example",
                                              string_or_empty(source->example)));
    }
    return list;
}

static json_t *list_distributions(void) {
    json_t *list = json_array();
    for (size_t i = 0; fsim_dist_names[i] != NULL; i++) {
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", fsim_dist_names[i], "summary", fsim_dist_parameters[i]));
    }
    return list;
}

typedef struct list_kind {
    const char *name, *heading;
    json_t *(*list)(void);
} list_kind;

static const list_kind kinds[] = {
    {"bundles", "policies that together act like one platform: --policy NAME", list_bundles},
    {"workloads", "built-in workloads: fsim NAME", list_workloads},
    {"books", "price books: --billing NAME", list_books},
    {"policies", "what bundles are made of: policy.<kind>.name", list_policies},
    {"sources", "arrival processes and trace formats: workload.source", list_sources},
    {"distributions", "of times: {\"dist\": NAME, …}", list_distributions},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_details(FILE *out, const json_t *entry) {
    if (*text_of(entry, "source") != '\0') {
        fprintf(out, "      from %s\n", text_of(entry, "source"));
    }
    if (*text_of(entry, "example") != '\0') {
        fprintf(out, "      %s\n", text_of(entry, "example"));
    }
    const char *key;
    json_t *source;
    json_object_foreach(json_object_get(entry, "sources"), key, source) {
        fprintf(out, "      %s: %s\n", key, json_is_string(source) ? json_string_value(source) : "");
    }
    size_t i;
    json_t *param;
    json_array_foreach(json_object_get(entry, "params"), i, param) {
        const json_t *fallback = json_object_get(param, "default");
        fprintf(out, "      %-28s %s", text_of(param, "name"), text_of(param, "summary"));
        if (*text_of(param, "unit") != '\0') {
            fprintf(out, ", %s", text_of(param, "unit"));
        }
        if (json_is_string(fallback)) {
            fprintf(out, " (default %s)\n", json_string_value(fallback));
        } else {
            fputs(" (required)\n", out);
        }
    }
}

static void print_text(FILE *out, const list_kind *kind, bool details) {
    json_t *list = kind->list();
    fprintf(out, "%s: %s\n", kind->name, kind->heading);
    const char *group = "";
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (strcmp(text_of(entry, "kind"), group) != 0) {
            group = text_of(entry, "kind");
            fprintf(out, " %s\n", group);
        }
        const char *summary = text_of(entry, "summary");
        fprintf(out, *summary == '\0' ? "  %s%s\n" : "  %-22s %s\n", text_of(entry, "name"), summary);
        if (details) {
            print_details(out, entry);
        }
    }
    json_decref(list);
}

static fsim_status find_kind(const char *name, const list_kind **out, fsim_error *err) {
    const char *names[KIND_COUNT + 1] = {0};
    for (size_t i = 0; i < KIND_COUNT; i++) {
        names[i] = kinds[i].name;
        if (strcmp(name, kinds[i].name) == 0) {
            *out = &kinds[i];
            return FSIM_OK;
        }
    }
    const char *nearest = fsim_text_nearest(name, names);
    return fsim_fail_at(err, FSIM_EUSAGE, name,
                        "nothing of that kind, expected bundles, workloads, books, policies, sources or "
                        "distributions%s%s%s",
                        nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "?");
}

static fsim_status run_list(const fsim_parsed *parsed, fsim_error *err) {
    const list_values *values = parsed->values;
    const list_kind *one = NULL;
    if (parsed->word_count > 0) {
        FSIM_TRY(find_kind(parsed->words[0], &one, err));
    }
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    json_t *all = json_object();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const list_kind *kind = &kinds[i];
        if (one != NULL && one != kind) {
            continue;
        }
        if (values->format == 1) {
            json_object_set_new(all, kind->name, kind->list());
        } else {
            fputs(one == NULL && i > 0 ? "\n" : "", output.stream);
            print_text(output.stream, kind, one != NULL);
        }
    }
    if (values->format == 1) {
        json_dumpf(one == NULL ? all : json_object_get(all, one->name), output.stream, JSON_INDENT(2));
        fputc('\n', output.stream);
    }
    json_decref(all);
    return fsim_output_end(&output, FSIM_OK, err);
}

const fsim_command fsim_command_list = {
    .name = "list",
    .summary = "bundles, workloads, price books, policies, sources, distributions",
    .arguments = "[KIND]",
    .detail = "KIND is bundles, workloads, books, policies, sources or distributions: that list with all\n"
              "details (parameters with their defaults, sources). Without KIND: all names.\n",
    .examples = "fsim list\nfsim list policies\nfsim list books --format json",
    .options = options,
    .values_size = sizeof(list_values),
    .words_max = 1,
    .run = run_list,
};
