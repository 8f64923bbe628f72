/* Traces written: the native CSV or an .fst, whichever the name of the file asks for. Under a temporary name
 * and renamed at the end, as everything through cli/sink.h. */
#ifndef FSIM_CLI_TRACE_WRITER_H
#define FSIM_CLI_TRACE_WRITER_H

#include "cli/row_writer.h"
#include "io/fst_writer.h"

typedef enum fsim_trace_form { FSIM_TRACE_BY_NAME, FSIM_TRACE_CSV, FSIM_TRACE_FST } fsim_trace_form;

/* The same as words of an option: "auto", "csv", "fst". */
extern const char *const fsim_trace_form_names[];

/* All fields are private but `sink.closed`. */
typedef struct fsim_trace_writer {
    fsim_sink sink;
    const fsim_function_table *table;
    uint32_t columns;
    fsim_fst_writer *fst;   /* NULL: CSV */
    fsim_row_names names;   /* CSV */
    fsim_fst_text *session; /* numbers of sessions as text */
    char *digits;
    int64_t *memory_mb;
    fsim_fn_id *fn; /* of batches with versions: the functions, and the names of their versions */
    fsim_fst_text *version;
} fsim_trace_writer;

/* path NULL or "-": standard output, as CSV unless `form` says otherwise. `columns`: set of fsim_fst_column
 * for the header of a CSV file; an .fst adds what the rows have. `table` must live until close. */
fsim_status fsim_trace_writer_open(fsim_trace_writer *writer, const char *path, fsim_trace_form form,
                                   uint32_t columns, const fsim_function_table *table, fsim_error *err);
fsim_status fsim_trace_writer_rows(fsim_trace_writer *writer, const fsim_fst_rows *rows, fsim_error *err);
/* The columns of a workload whose first batch this is: memory where the workload says how large its functions
 * are, which a scenario beside it need not know. */
uint32_t fsim_trace_columns_of(const fsim_arrivals *batch, const fsim_function_table *table);
/* The sizes that the workload gave to the functions of a batch, for out[FSIM_BATCH]; else FSIM_FST_EMPTY. */
void fsim_trace_spell_memory(int64_t *out, const fsim_arrivals *batch, const fsim_function_table *table);
/* A batch of arrivals; the session of a row is written as its number, a version as its function and its name.
 */
fsim_status fsim_trace_writer_batch(fsim_trace_writer *writer, const fsim_arrivals *batch, fsim_error *err);
/* The numbers of the sessions in a batch as text, for out[FSIM_BATCH]. *digits: their letters, NULL at first,
 * freed by the caller. */
fsim_status fsim_trace_spell_sessions(char **digits, fsim_fst_text *out, const fsim_arrivals *batch,
                                      fsim_error *err);
/* Finishes the file, or removes it when `status` is a failure. Returns `status` or its own. */
fsim_status fsim_trace_writer_close(fsim_trace_writer *writer, fsim_status status, fsim_error *err);

#endif
