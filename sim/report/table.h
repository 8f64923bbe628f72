/* A table of short texts, printed for people (aligned columns), as Markdown or as CSV. */
#ifndef FSIM_REPORT_TABLE_H
#define FSIM_REPORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum fsim_table_style { FSIM_TABLE_TEXT, FSIM_TABLE_MARKDOWN, FSIM_TABLE_CSV } fsim_table_style;

typedef struct fsim_table fsim_table;

/* A table without rows; the first row filled is its head. The first `left` columns are flushed left, the
 * others right. NULL: no memory. */
fsim_table *fsim_table_create(uint32_t columns, uint32_t left);
void fsim_table_destroy(fsim_table *table); /* NULL allowed */

/* Appends the next cell, row by row. */
void fsim_table_add(fsim_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fills the row that was begun with empty cells. */
void fsim_table_end_row(fsim_table *table);

/* Writes the table; `indent` blanks in front of each line of text style. False: memory was short when it was
 * filled, and nothing is written. */
bool fsim_table_print(const fsim_table *table, fsim_table_style style, int indent, FILE *out);

/* One field of a CSV file, quoted where it must be. */
void fsim_table_csv_field(FILE *out, const char *text);

#endif
