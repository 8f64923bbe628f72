/* A table of CSV whose rows are given one after the other, each as paths and values. */
#ifndef FSIM_REPORT_ROWS_CSV_H
#define FSIM_REPORT_ROWS_CSV_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct fsim_cell {
    enum { FSIM_CELL_NONE, FSIM_CELL_INTEGER, FSIM_CELL_REAL, FSIM_CELL_TEXT } kind;
    union {
        int64_t integer;
        double real;
        const char *text; /* borrowed, as long as the rows are */
    };
} fsim_cell;

typedef void (*fsim_cell_visit)(void *user, const char *path, const fsim_cell *cell);

typedef struct fsim_rows {
    const char *head; /* of a first column that holds the names; NULL: there is none */
    size_t count;
    const char *(*name)(void *user, size_t row);
    void (*cells)(void *user, size_t row, fsim_cell_visit visit, void *visit_user);
    bool (*alike)(void *user, size_t a, size_t b); /* the same paths; NULL: one never knows */
    void *user;
} fsim_rows;

/* The columns are the union of the paths, in order of first appearance; 12 significant digits. */
fsim_status fsim_rows_csv(FILE *out, const fsim_rows *rows, fsim_error *err);

#endif
