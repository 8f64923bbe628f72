#include "cli/books.h"

#include "base/text.h"
#include "billing/meter.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/json_reader.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 256 };

/* `said` is where the scenario names the book. */
static fsim_status fail_unknown(const fsim_value *said, fsim_error *err) {
    const char *name = said->string;
    const char *names[NAMES_MAX + 1] = {0};
    for (size_t i = 0; fsim_embedded_books[i].name != NULL && i < NAMES_MAX; i++) {
        names[i] = fsim_embedded_books[i].name;
    }
    const char *nearest = fsim_text_nearest(name, names);
    return fsim_value_fail(
        said, err,
        "no price book \"%s\", expected a name that \"fsim list books\" shows, or a .json file%s%s%s", name,
        nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
        nearest == NULL ? "" : "\"?");
}

/* Files that the command line names start here, those of a scenario beside it. */
static fsim_status read_file(fsim_books *books, const fsim_value *said, const char *base_dir,
                             fsim_value **root, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    bool from_command_line = said->origin != NULL && strncmp(said->origin, "--", 2) == 0;
    FSIM_TRY(fsim_file_resolve(from_command_line ? NULL : base_dir, said->string, path, sizeof path, err));
    return fsim_json_read_file(books->pool, path, root, err);
}

static fsim_status read_book(fsim_books *books, const fsim_value *said, const char *base_dir,
                             fsim_price_book **out, fsim_error *err) {
    const char *name = said->string;
    fsim_value *root = NULL;
    const fsim_embedded *file = fsim_embedded_books;
    while (file->name != NULL && strcmp(file->name, name) != 0) {
        file++;
    }
    if (file->name != NULL) {
        FSIM_TRY(fsim_json_read_text(books->pool, file->text, name, &root, err));
    } else if (strchr(name, '/') != NULL ||
               (strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".json") == 0)) {
        FSIM_TRY(read_file(books, said, base_dir, &root, err));
    } else {
        return fail_unknown(said, err);
    }
    return fsim_price_book_load(out, root, err);
}

fsim_status fsim_books_open(fsim_books *out, const fsim_scenario *scenario, fsim_error *err) {
    bool first = true;
    *out = (fsim_books){.pool = fsim_value_pool_create(), .meters = fsim_meter_plan_default()};
    out->meters.threshold.ppm = scenario->cpu_threshold_ppm;
    out->items = calloc((size_t)scenario->book_count + 1, sizeof *out->items);
    fsim_status status =
        out->pool == NULL || out->items == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    const fsim_value *said =
        scenario->book_count == 0 ? NULL : fsim_value_peek(scenario->root, "billing")->first;
    for (uint32_t i = 0; i < scenario->book_count && status == FSIM_OK; i++, said = said->next) {
        status = read_book(out, said, scenario->base_dir, &out->items[i], err);
        if (status == FSIM_OK) {
            out->count++;
            status = fsim_price_book_require(out->items[i], &out->meters, &first, err);
        }
    }
    if (status != FSIM_OK) {
        fsim_books_close(out);
    }
    return status;
}

fsim_status fsim_books_add_nodes(fsim_books *books, const char *name, fsim_error *err) {
    bool first = false; /* it has no CPU threshold to set */
    fsim_value *said = fsim_value_new_string(books->pool, name, "--provider");
    if (said == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    FSIM_TRY(read_book(books, said, NULL, &books->items[books->count], err));
    const fsim_price_book *book = books->items[books->count++]; /* room for it was kept */
    if (book->metering.mode != FSIM_MODE_NODE_HOURS) {
        return fsim_fail_at(err, FSIM_ECONFIG, "--provider", "price book %s does not bill node hours",
                            book->id);
    }
    return fsim_price_book_require(book, &books->meters, &first, err);
}

fsim_status fsim_books_open_one(fsim_books *out, const char *name, fsim_error *err) {
    *out = (fsim_books){.pool = fsim_value_pool_create(), .meters = fsim_meter_plan_default()};
    out->items = calloc(1, sizeof *out->items);
    fsim_value *said = out->pool == NULL ? NULL : fsim_value_new_string(out->pool, name, "BOOK");
    fsim_status status =
        said == NULL || out->items == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    if (status == FSIM_OK) {
        status = read_book(out, said, NULL, &out->items[0], err);
    }
    if (status != FSIM_OK) {
        fsim_books_close(out);
        return status;
    }
    out->count = 1;
    return FSIM_OK;
}

void fsim_books_close(fsim_books *books) {
    for (uint32_t i = 0; books->items != NULL && i < books->count; i++) {
        fsim_price_book_destroy(books->items[i]);
    }
    free(books->items);
    fsim_value_pool_destroy(books->pool);
    *books = (fsim_books){0};
}

fsim_status fsim_books_price(fsim_invoice **out, const fsim_books *books, const fsim_result *result,
                             fsim_error *err) {
    *out = NULL;
    if (books->count == 0) {
        return FSIM_OK;
    }
    fsim_invoice *invoices = calloc(books->count, sizeof *invoices);
    fsim_status status = invoices == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : FSIM_OK;
    const fsim_metered_run run = {
        .plan = &result->meters,
        .functions = result->usage,
        .function_count = result->function_count,
        .hours = result->hours,
        .hour_count = result->hour_count,
        .nodes = result->nodes,
        .horizon_ns = result->horizon_ns,
        .month_ns = books->month_ns,
    };
    const fsim_invoice_options options = {.on_date = books->on_date};
    for (uint32_t i = 0; i < books->count && status == FSIM_OK; i++) {
        status = fsim_invoice_of_run(&invoices[i], books->items[i], &run, &options, err);
    }
    if (status != FSIM_OK) {
        free(invoices);
        return status;
    }
    *out = invoices;
    return FSIM_OK;
}
