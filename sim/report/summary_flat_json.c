#include "report/summary_flat_json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 512

typedef struct walk {
    fsim_summary_visit visit;
    void *user;
    const json_t *bills; /* of the summary itself: ci95 has the amounts without the names */
    char path[PATH_SIZE];
} walk;

static bool is_left_out(const char *key) {
    static const char *const keys[] = {"functions", "versions", "windows",  "probe", "occupancy",
                                       "warnings",  "lines",    "left_out", "book"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the document, which is ours */
static void leaves(walk *w, size_t length, const char *last_key, const json_t *value) {
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, child) {
            if (!is_left_out(key)) {
                int n = snprintf(w->path + length, PATH_SIZE - length, "%s%s", length > 0 ? "." : "", key);
                leaves(w, length + (size_t)n < PATH_SIZE ? length + (size_t)n : PATH_SIZE - 1, key, child);
            }
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child) {
            const char *book = json_string_value(json_object_get(json_array_get(w->bills, i), "book"));
            bool named = strcmp(last_key, "bills") == 0 && book != NULL;
            int n = named ? snprintf(w->path + length, PATH_SIZE - length, ".%s", book)
                          : snprintf(w->path + length, PATH_SIZE - length, "[%zu]", i);
            leaves(w, length + (size_t)n < PATH_SIZE ? length + (size_t)n : PATH_SIZE - 1, "", child);
        }
    } else if (!json_is_null(value)) {
        w->visit(w->user, w->path, value);
    }
    w->path[length] = '\0';
}

void fsim_summary_leaves(const json_t *summary, fsim_summary_visit visit, void *user) {
    walk w = {.visit = visit, .user = user, .bills = json_object_get(summary, "bills")};
    leaves(&w, 0, "", summary);
}

typedef struct cell_visitor {
    fsim_cell_visit visit;
    void *user;
} cell_visitor;

static void visit_cell(void *user, const char *path, const json_t *value) {
    const cell_visitor *v = user;
    fsim_cell cell = {.kind = FSIM_CELL_TEXT, .text = json_is_true(value) ? "true" : "false"};
    if (json_is_string(value)) {
        cell.text = json_string_value(value);
    } else if (json_is_integer(value)) {
        cell = (fsim_cell){.kind = FSIM_CELL_INTEGER, .integer = json_integer_value(value)};
    } else if (json_is_real(value)) {
        cell = (fsim_cell){.kind = FSIM_CELL_REAL, .real = json_real_value(value)};
    }
    v->visit(v->user, path, &cell);
}

void fsim_summary_cells(const json_t *summary, fsim_cell_visit visit, void *user) {
    fsim_summary_leaves(summary, visit_cell, &(cell_visitor){visit, user});
}

const char *fsim_summary_spell(const json_t *value, char *out, size_t size) {
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(out, size, "%.12g", json_real_value(value));
    } else {
        snprintf(out, size, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "");
    }
    return out;
}
