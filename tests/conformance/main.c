/* fsim-conformance FILE.json... [--filter TEXT] [--quick [--budget N]] [--threads N]; see conformance.h for
 * what it prints.
 */
#include "case.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conformance {
    const char *filter;
    uint64_t passed, failed, skipped;
    case_options options;
    json_t *books; /* of the file that is read */
};

static const conformance_kind *const tables[] = {knative_kinds,  billing_kinds,   billing_vector_kinds,
                                                 identity_kinds, keepalive_kinds, hpa_kinds,
                                                 keda_kinds,     aws_kinds};

bool conformance_wanted(conformance *c, const char *id) {
    return c->filter == NULL || strstr(id, c->filter) != NULL;
}

void conformance_pass(conformance *c, const char *id) {
    conformance_pass_with(c, id, "");
}

void conformance_pass_with(conformance *c, const char *id, const char *remark) {
    c->passed++;
    printf(remark[0] == '\0' ? "PASS %s\n" : "PASS %s (%s)\n", id, remark);
}

void conformance_fail(conformance *c, const char *id, const char *expected, const char *got) {
    c->failed++;
    printf("FAIL %s expected %s, got %s\n", id, expected, got);
    fflush(stdout);
}

void conformance_skip(conformance *c, const char *id, const char *reason) {
    c->skipped++;
    printf("SKIP %s %s\n", id, reason);
}

bool conformance_check_number(conformance *c, const char *id, double expected, double got, double tolerance) {
    double error = got > expected ? got - expected : expected - got;
    if (error <= tolerance) {
        conformance_pass(c, id);
        return true;
    }
    char want[64], have[64];
    snprintf(want, sizeof want, "%.12g", expected);
    snprintf(have, sizeof have, "%.12g", got);
    conformance_fail(c, id, want, have);
    return false;
}

/* ---- vectors that are not scenarios ---- */

static const conformance_kind *kind_named(const char *name) {
    for (size_t t = 0; name != NULL && t < sizeof tables / sizeof *tables; t++) {
        for (const conformance_kind *kind = tables[t]; kind->kind != NULL; kind++) {
            if (strcmp(kind->kind, name) == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

static const char *text_at(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static const conformance_kind *kind_of(const json_t *vector) {
    char of_metric[128], of_group[32];
    snprintf(of_metric, sizeof of_metric, "%s:%s", text_at(vector, "group"), text_at(vector, "metric"));
    snprintf(of_group, sizeof of_group, "group:%s", text_at(vector, "group"));
    const char *names[] = {text_at(vector, "kind"), text_at(vector, "model"), of_metric, of_group};
    const conformance_kind *kind = NULL;
    for (size_t i = 0; i < 4 && kind == NULL; i++) {
        kind = kind_named(names[i]);
    }
    return kind;
}

static void judge(conformance *c, const json_t *vector) {
    const char *id = text_at(vector, "id");
    if (strcmp(text_at(vector, "schema"), "fsim.case/1") == 0) {
        case_judge(c, vector, &c->options);
    } else if (conformance_wanted(c, id)) {
        const conformance_kind *kind = kind_of(vector);
        char reason[256];
        snprintf(reason, sizeof reason, "unknown kind \"%s\"",
                 json_object_get(vector, "kind") != NULL ? text_at(vector, "kind")
                                                         : text_at(vector, "model"));
        if (kind != NULL) {
            kind->run(c, vector);
        } else {
            conformance_skip(c, id, reason);
        }
    }
    fflush(stdout);
}

/* The books that stand beside the vectors. */
static json_t *books_beside(const char *path, const json_t *root) {
    const char *name = json_string_value(json_object_get(root, "pricebooks_file"));
    const char *slash = strrchr(path, '/');
    char file[4096];
    json_error_t error;
    if (name == NULL) {
        return NULL;
    }
    snprintf(file, sizeof file, "%.*s%s", slash == NULL ? 0 : (int)(slash + 1 - path), path, name);
    return json_load_file(file, JSON_REJECT_DUPLICATES, &error);
}

const json_t *conformance_book(const conformance *c, const char *id) {
    size_t i;
    json_t *book;
    json_array_foreach(json_object_get(c->books, "pricebooks"), i, book) {
        if (strcmp(text_at(book, "id"), id) == 0) {
            return book;
        }
    }
    return NULL;
}

static void judge_all(conformance *c, const json_t *vectors) {
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector) {
        judge(c, vector);
    }
}

/* A file is one vector, a list of them, or an object that holds lists: {cases, other} or {vectors}. False: it
 * is none of these. */
static bool judge_file(conformance *c, const char *path) {
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fprintf(stderr, "fsim-conformance: %s:%d:%d: %s\n", path, error.line, error.column, error.text);
        return false;
    }
    c->books = books_beside(path, root);
    static const char *const lists[] = {"cases", "other", "vectors"};
    bool known = json_is_array(root) || json_object_get(root, "id") != NULL;
    if (json_is_array(root)) {
        judge_all(c, root);
    } else if (known) {
        judge(c, root);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const json_t *list = json_object_get(root, lists[i]);
        known = known || json_is_array(list);
        judge_all(c, list);
    }
    if (!known) {
        fprintf(stderr, "fsim-conformance: %s: found neither cases nor vectors\n", path);
    }
    json_decref(root);
    json_decref(c->books);
    c->books = NULL;
    return known;
}

static int usage(FILE *to) {
    fputs("usage: fsim-conformance FILE.json... [--filter TEXT] [--quick [--budget N]] [--threads N]\n"
          "Runs recorded vectors and validity cases through the library.\n"
          "  --filter TEXT   only vectors and checks whose id (case/check) contains TEXT\n"
          "  --quick         short runs, judged with the half widths they have\n"
          "  --budget N      requests of a case in a quick run, without its warm-up (default: 2M)\n"
          "  --threads N     threads for independent runs (default: one per core)\n",
          to);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    conformance c = {0};
    const char *files[256];
    size_t file_count = 0;
    int64_t threads = 0, budget = CASE_BUDGET;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return usage(stdout);
        } else if (strcmp(argv[i], "--quick") == 0) {
            c.options.quick = true;
        } else if (strcmp(argv[i], "--filter") == 0 && more) {
            c.filter = argv[++i];
        } else if (strcmp(argv[i], "--threads") == 0 && more &&
                   fsim_text_parse_count(argv[i + 1], &threads) && threads <= FSIM_THREADS_MAX) {
            i++;
        } else if (strcmp(argv[i], "--budget") == 0 && more && fsim_text_parse_count(argv[i + 1], &budget) &&
                   budget > 0) {
            i++;
        } else if (argv[i][0] == '-' || file_count == sizeof files / sizeof *files) {
            return usage(stderr);
        } else {
            files[file_count++] = argv[i];
        }
    }
    if (file_count == 0) {
        return usage(stderr);
    }
    c.options.threads = (uint32_t)threads;
    c.options.budget = (uint64_t)budget;
    bool readable = true;
    for (size_t i = 0; i < file_count; i++) {
        readable = judge_file(&c, files[i]) && readable;
    }
    printf("%llu passed, %llu failed, %llu skipped\n", (unsigned long long)c.passed,
           (unsigned long long)c.failed, (unsigned long long)c.skipped);
    return !readable ? 2 : c.failed > 0;
}
