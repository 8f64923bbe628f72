#include "report/plot_data.h"

#include "io/file.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX  32
#define BYTES_MAX    (1u << 30)
#define NOT_A_COLUMN SIZE_MAX

/* Where each wanted column stands in the file. */
static fsim_status find_columns(const char *head, const char *const *wanted, size_t *at, size_t *count,
                                const char *path, fsim_error *err) {
    size_t n = 0;
    for (; wanted[n] != NULL; n++) {
        size_t length = strlen(wanted[n]), column = 0;
        const char *cell = head;
        at[n] = NOT_A_COLUMN;
        while (at[n] == NOT_A_COLUMN && *cell != '\0') {
            size_t width = strcspn(cell, ",");
            if (width == length && strncmp(cell, wanted[n], length) == 0) {
                at[n] = column;
            }
            cell += width + (cell[width] == ',');
            column++;
        }
        if (at[n] == NOT_A_COLUMN) {
            return fsim_fail_at(err, FSIM_EDATA, path, "no column '%s'; was this file written by fsim?",
                                wanted[n]);
        }
    }
    *count = n;
    return FSIM_OK;
}

/* One line into one row. */
static fsim_status read_row(char *line, const size_t *at, size_t count, double *row, const char *path,
                            size_t line_number, fsim_error *err) {
    size_t column = 0;
    for (char *cell = line; cell != NULL; column++) {
        char *comma = strchr(cell, ',');
        char *end;
        double value = strtod(cell, &end);
        for (size_t i = 0; i < count; i++) {
            if (at[i] == column && (end == cell || (*end != ',' && *end != '\0' && *end != '\r'))) {
                return fsim_fail_at(err, FSIM_EDATA, path, "line %zu, column %zu: expected a number",
                                    line_number, column + 1);
            }
            if (at[i] == column) {
                row[i] = value;
            }
        }
        cell = comma != NULL ? comma + 1 : NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (at[i] >= column) {
            return fsim_fail_at(err, FSIM_EDATA, path, "line %zu has %zu columns only", line_number, column);
        }
    }
    return FSIM_OK;
}

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static fsim_status parse(fsim_plot_data *out, char *text, const char *path, const char *const *columns,
                         fsim_error *err) {
    size_t at[COLUMNS_MAX], number = 1;
    out->value = calloc((count_lines(text) + 1) * COLUMNS_MAX, sizeof *out->value);
    if (out->value == NULL) {
        return fsim_fail_at(err, FSIM_ELIMIT, path, "out of memory");
    }
    char *save = NULL;
    char *head = strtok_r(text, "\n", &save);
    FSIM_TRY(find_columns(head == NULL ? "" : head, columns, at, &out->columns, path, err));
    for (char *line = strtok_r(NULL, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        FSIM_TRY(
            read_row(line, at, out->columns, &out->value[out->rows * out->columns], path, ++number, err));
        out->rows++;
    }
    return FSIM_OK;
}

fsim_status fsim_plot_read(fsim_plot_data *out, const char *folder, const char *file,
                           const char *const *columns, fsim_error *err) {
    char path[FSIM_PATH_MAX], *text = NULL;
    size_t size;
    memset(out, 0, sizeof *out);
    FSIM_TRY(fsim_file_resolve(folder, file, path, sizeof path, err));
    FSIM_TRY(fsim_file_read_all(path, BYTES_MAX, &text, &size, err));
    fsim_status status = parse(out, text, path, columns, err);
    free(text);
    if (status != FSIM_OK) {
        fsim_plot_forget(out);
    }
    return status;
}

void fsim_plot_forget(fsim_plot_data *data) {
    free(data->value);
    memset(data, 0, sizeof *data);
}

double fsim_plot_begin(const fsim_plot_data *series) {
    double begin = 0;
    if (series->rows > 1) {
        double first = series->value[0], second = series->value[series->columns];
        begin = 2 * first - second;
    }
    return begin > 0 ? begin : 0;
}

void fsim_plot_rate(fsim_plot_data *series, size_t column) {
    double before = fsim_plot_begin(series);
    for (size_t r = 0; r < series->rows; r++) {
        double *row = &series->value[r * series->columns];
        row[column] = row[0] > before ? row[column] / (row[0] - before) : 0;
        before = row[0];
    }
}

void fsim_plot_coarsen(fsim_plot_data *series) {
    size_t group = (series->rows + FSIM_PLOT_BINS - 1) / FSIM_PLOT_BINS, columns = series->columns, kept = 0;
    double begin = fsim_plot_begin(series);
    for (size_t first = 0; group > 1 && first < series->rows; first += group) {
        size_t end = first + group < series->rows ? first + group : series->rows;
        double last = series->value[(end - 1) * columns], from = begin;
        double mean[COLUMNS_MAX] = {0};
        for (size_t r = first; r < end; r++) {
            const double *row = &series->value[r * columns];
            for (size_t c = 1; c < columns && last > begin; c++) {
                mean[c] += row[c] * (row[0] - from) / (last - begin);
            }
            from = row[0];
        }
        mean[0] = begin = last;
        memcpy(&series->value[kept++ * columns], mean, columns * sizeof *mean);
    }
    series->rows = group > 1 ? kept : series->rows;
}
