/* fsim bill: what a price book charges for a usage record, a finished run, a request log or a timeline. */
#include "base/calendar.h"
#include "base/text.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "cli/workload_words.h"
#include "io/file.h"
#include "io/json_reader.h"
#include "io/request_log.h"
#include "io/usage_file.h"
#include "report/report_bill.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define EXTRA_MAX 16
#define MONTH_NS  (30 * FSIM_DAY)

typedef struct bill_values {
    fsim_word_list fixed, extra, no_free;
    const char *date;
    fsim_ns span_ns;
    int format;
    bool month, lines_first;
} bill_values;

static const fsim_option options[] = {
    FSIM_OPTION_ROW_FORMAT(bill_values, fsim_report_format_names),
    {.name = "month",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(bill_values, month),
     .help = "scale to a month of 30 days: free parts and tiers are per month"},
    {.name = "span",
     .kind = FSIM_OPTION_SPAN,
     .offset = offsetof(bill_values, span_ns),
     .operand = "SPAN",
     .help = "how long the usage took (default: as the run, log or timeline says)"},
    {.name = "date",
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(bill_values, date),
     .operand = "YYYY-MM-DD",
     .help = "discounts and minimums of that day (default: list prices)"},
    {.name = "no-free",
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(bill_values, no_free),
     .operand = "all|METER[,METER]",
     .help = "without the free part of these meters"},
    {.name = "fixed",
     .kind = FSIM_OPTION_REPEAT,
     .offset = offsetof(bill_values, fixed),
     .operand = "FEE=COUNT",
     .help = "so many of a fixed fee of the book, for a usage record"},
    {.name = "extra",
     .kind = FSIM_OPTION_REPEAT,
     .offset = offsetof(bill_values, extra),
     .operand = "NAME=COUNTxPRICE",
     .help = "a line beside the book, such as egress=120x0.09"},
    {.name = "round-lines",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(bill_values, lines_first),
     .help = "to pay is the sum of rounded lines, as on some vendors' bills"},
    {.name = NULL},
};

typedef struct job {
    const bill_values *values;
    fsim_books books;
    const fsim_price_book *book;
    fsim_invoice_options options;
    const char *no_free[FSIM_BOOK_METERS_MAX + 1];
    fsim_invoice_extra extra[EXTRA_MAX];
    fsim_value_pool *pool;
    fsim_invoice invoice;
    const char *title, *path; /* of the usage: as typed, and where it is read */
} job;

/* ---- options ---- */

static fsim_status read_fixed(job *j, const char *text, fsim_error *err) {
    const char *equals = strchr(text, '=');
    for (uint32_t i = 0; equals != NULL && i < j->book->fixed_count; i++) {
        const char *id = j->book->fixed[i].id;
        if (strlen(id) == (size_t)(equals - text) && strncmp(id, text, strlen(id)) == 0 &&
            fsim_decimal_parse_ratio(equals + 1, &j->options.fixed[i]) && j->options.fixed[i].num >= 0) {
            return FSIM_OK;
        }
    }
    return fsim_fail_at(err, FSIM_EUSAGE, "--fixed",
                        "'%s' found, expected FEE=COUNT with a fixed fee of %s%s%s", text, j->book->id,
                        j->book->fixed_count > 0 ? ", such as " : ", which has none",
                        j->book->fixed_count > 0 ? j->book->fixed[0].id : "");
}

static fsim_status read_extra(job *j, const char *text, fsim_error *err) {
    fsim_invoice_extra *extra = &j->extra[j->options.extra_count];
    char *name = fsim_value_pool_alloc(j->pool, strlen(text) + 1);
    if (name == NULL || j->options.extra_count == EXTRA_MAX) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--extra", "at most %d lines", EXTRA_MAX);
    }
    memcpy(name, text, strlen(text) + 1);
    char *equals = strchr(name, '='), *times = equals == NULL ? NULL : strchr(equals, 'x');
    if (times != NULL) {
        *equals = *times = '\0';
    }
    if (times == NULL || !fsim_decimal_parse_ratio(equals + 1, &extra->quantity) ||
        !fsim_decimal_parse_ratio(times + 1, &extra->price)) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--extra",
                            "'%s' found, expected NAME=COUNTxPRICE, as in egress=120x0.09", text);
    }
    extra->id = name;
    j->options.extra = j->extra;
    j->options.extra_count++;
    return FSIM_OK;
}

static fsim_status read_no_free(job *j, fsim_error *err) {
    const fsim_word_list *words = &j->values->no_free;
    const char *known[FSIM_BOOK_METERS_MAX + 2] = {"all"};
    for (uint32_t i = 0; i < j->book->meter_count; i++) {
        known[i + 1] = j->book->meter[i].id;
    }
    for (size_t w = 0; w < words->count; w++) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], words->items[w]) != 0) {
            i++;
        }
        if (known[i] == NULL || w == FSIM_BOOK_METERS_MAX) {
            const char *nearest = fsim_text_nearest(words->items[w], known);
            return fsim_fail_at(err, FSIM_EUSAGE, "--no-free", "%s has no meter \"%s\"%s%s%s", j->book->id,
                                words->items[w], nearest == NULL ? "" : "; did you mean \"",
                                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
        }
        j->options.free_off |= i == 0;
        j->no_free[w] = known[i];
    }
    j->options.free_off_meters = j->no_free;
    return FSIM_OK;
}

static fsim_status read_date(job *j, fsim_error *err) {
    const char *date = j->values->date;
    char midnight[32];
    fsim_ns unix_ns;
    if (date == NULL) {
        return FSIM_OK;
    }
    j->options.on_date = date;
    snprintf(midnight, sizeof midnight, "%.20sT00:00", date);
    return strlen(date) == strlen("YYYY-MM-DD") && fsim_calendar_parse(midnight, strlen(midnight), &unix_ns)
               ? FSIM_OK
               : fsim_fail_at(err, FSIM_EUSAGE, "--date", "'%s' found, expected a day as YYYY-MM-DD", date);
}

static fsim_status read_options(job *j, fsim_error *err) {
    FSIM_TRY(read_date(j, err));
    FSIM_TRY(read_no_free(j, err));
    for (size_t i = 0; i < j->values->fixed.count; i++) {
        FSIM_TRY(read_fixed(j, j->values->fixed.items[i], err));
    }
    for (size_t i = 0; i < j->values->extra.count; i++) {
        FSIM_TRY(read_extra(j, j->values->extra.items[i], err));
    }
    return FSIM_OK;
}

/* ---- what is priced ---- */

/* Prices a metered run; `has_span`: it says how long it took. */
static fsim_status price_run(job *j, fsim_metered_run *run, bool has_span, fsim_error *err) {
    if (j->values->span_ns != 0) {
        run->horizon_ns = j->values->span_ns;
    }
    if (j->values->month && !has_span && j->values->span_ns == 0) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--month",
                            "%s does not say how long it took, expected --span SPAN", j->title);
    }
    run->month_ns = j->values->month ? MONTH_NS : 0;
    if (j->values->fixed.count > 0) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--fixed",
                            "the fixed fees of a run, log or timeline follow from its length");
    }
    return fsim_invoice_of_run(&j->invoice, j->book, run, &j->options, err);
}

static fsim_status price_instances(job *j, fsim_timeline_instance *instances, uint32_t count,
                                   fsim_meter_plan *plan, bool has_span, fsim_error *err) {
    fsim_timeline_bill bill;
    FSIM_TRY(fsim_timeline_bill_make(&bill, instances, count, plan, err));
    fsim_metered_run run = {.plan = plan,
                            .functions = bill.usage,
                            .function_count = bill.function_count,
                            .hours = bill.hours,
                            .hour_count = bill.hour_count,
                            .horizon_ns = bill.horizon_ns};
    fsim_status status = price_run(j, &run, has_span, err);
    fsim_timeline_bill_free(&bill);
    return status;
}

static fsim_status plan_for_book(const job *j, uint32_t metered, fsim_meter_plan *plan, fsim_error *err) {
    bool first = true;
    *plan = fsim_meter_plan_default();
    plan->metered = metered;
    return fsim_price_book_require(j->book, plan, &first, err);
}

static bool bills_instances(fsim_metering_mode mode) {
    return mode == FSIM_MODE_THRESHOLD || mode == FSIM_MODE_RESIDENCY ||
           mode == FSIM_MODE_CPU_TIME_RESIDENCY || mode == FSIM_MODE_RESIDENCY_BURST ||
           mode == FSIM_MODE_RESIDENCY_ACTIVE;
}

static bool bills_cpu_time(fsim_metering_mode mode) {
    return mode == FSIM_MODE_CPU_TIME || mode == FSIM_MODE_CPU_TIME_RESIDENCY ||
           mode == FSIM_MODE_CPU_TIME_ACTIVE_INTERVAL;
}

/* A log says when requests ran; what instances did beside them it does not say. */
static fsim_status price_log(job *j, fsim_error *err) {
    fsim_metering_mode mode = j->book->metering.mode;
    fsim_request_log log;
    fsim_meter_plan plan;
    FSIM_TRY(fsim_request_log_read(&log, j->path, j->book->metering.memory_observed, err));
    fsim_status status = FSIM_OK;
    if (bills_instances(mode)) {
        status =
            fsim_fail_at(err, FSIM_EDATA, j->title,
                         "price book %s bills instances, between requests too; a log of requests does not "
                         "tell how long they lived, expected a timeline (JSON)",
                         j->book->id);
    } else if (bills_cpu_time(mode) && !log.has_cpu) {
        status = fsim_fail_at(err, FSIM_EDATA, j->title,
                              "price book %s bills CPU time, expected a column cpu_ms", j->book->id);
    }
    uint32_t metered = bills_cpu_time(mode) ? FSIM_TIMELINE_METERED
                                            : FSIM_TIMELINE_METERED & ~(uint32_t)FSIM_METERED_THRESHOLD;
    if (status == FSIM_OK) {
        status = plan_for_book(j, metered, &plan, err);
    }
    if (status == FSIM_OK) {
        status = price_instances(j, log.instances, log.instance_count, &plan, log.has_times, err);
    }
    fsim_request_log_free(&log);
    return status;
}

static fsim_status price_timeline(job *j, const fsim_value *root, fsim_error *err) {
    fsim_timeline_instance *instances;
    fsim_meter_plan plan;
    uint32_t count;
    FSIM_TRY(fsim_timeline_read(j->pool, root, &instances, &count, err));
    FSIM_TRY(plan_for_book(j, FSIM_TIMELINE_METERED, &plan, err));
    return price_instances(j, instances, count, &plan, true, err);
}

static fsim_status price_record(job *j, const fsim_value *root, fsim_error *err) {
    fsim_quantities quantities;
    fsim_metered_run span = {.horizon_ns = j->values->span_ns, .month_ns = MONTH_NS};
    FSIM_TRY(fsim_quantities_read(&quantities, root, err));
    if (j->values->month && j->values->span_ns == 0) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--month",
                            "a usage record does not say how long it took, expected --span SPAN");
    }
    for (int q = 0; j->values->month && q < FSIM_QUANTITY_COUNT; q++) {
        if (!fsim_quantity_to_month(&span, &quantities.value[q])) {
            return fsim_fail(err, FSIM_ELIMIT, "quantity %s does not fit into 128 bits",
                             fsim_quantity_names[q]);
        }
    }
    fsim_status status = fsim_invoice_build(&j->invoice, j->book, &quantities, &j->options, err);
    if (status == FSIM_ECONFIG && err->place[0] == '\0') {
        snprintf(err->place, sizeof err->place, "%s", j->title);
    }
    j->invoice.month_ns = j->values->month ? MONTH_NS : 0;
    return status;
}

static fsim_status price_json(job *j, const char *path, fsim_error *err) {
    fsim_value *root;
    FSIM_TRY(fsim_json_read_file(j->pool, path, &root, err));
    const fsim_value *schema = fsim_value_peek(root, "schema");
    const char *name = schema == NULL || schema->kind != FSIM_VALUE_STRING ? "" : schema->string;
    if (strcmp(name, "fsim.summary/1") == 0) { /* what it was metered from stands beside it */
        char folder[FSIM_PATH_MAX], beside[FSIM_PATH_MAX + 16];
        fsim_file_directory(path, folder, sizeof folder);
        snprintf(beside, sizeof beside, "%s/usage.json", folder);
        return price_json(j, beside, err);
    }
    if (strcmp(name, "fsim.usage/1") == 0) {
        fsim_metered_run run;
        FSIM_TRY(fsim_usage_file_read(&run, j->pool, root, err));
        return price_run(j, &run, true, err);
    }
    if (strcmp(name, "fsim.timeline/1") == 0 || fsim_value_peek(root, "instances") != NULL) {
        return price_timeline(j, root, err);
    }
    return price_record(j, root, err);
}

static bool ends_in(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && strcmp(path + n - m, ending) == 0;
}

static fsim_status price(job *j, fsim_error *err) {
    struct stat info;
    FSIM_TRY(fsim_workload_keep(&j->path, err)); /* its first bytes say what it is */
    if (stat(j->path, &info) == 0 && S_ISDIR(info.st_mode)) {
        char usage[FSIM_PATH_MAX];
        snprintf(usage, sizeof usage, "%.*s/usage.json", FSIM_PATH_MAX - 16, j->path);
        return price_json(j, usage, err);
    }
    if (ends_in(j->path, ".csv") || fsim_request_log_is_at(j->path)) {
        return price_log(j, err);
    }
    return price_json(j, j->path, err);
}

static fsim_status print(const job *j, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status = fsim_report_bill(output.stream, (fsim_report_format)j->values->format, &j->invoice,
                                          j->title, j->values->lines_first, err);
    return fsim_output_end(&output, status, err);
}

static fsim_status run_bill(const fsim_parsed *parsed, fsim_error *err) {
    job j = {.values = parsed->values, .path = parsed->words[1], .title = parsed->words[1]};
    FSIM_TRY(fsim_books_open_one(&j.books, parsed->words[0], err));
    j.book = j.books.items[0];
    j.pool = fsim_value_pool_create();
    fsim_status status =
        j.pool == NULL ? fsim_fail(err, FSIM_ELIMIT, "out of memory") : read_options(&j, err);
    if (status == FSIM_OK) {
        status = price(&j, err);
    }
    if (status == FSIM_OK) {
        status = print(&j, err);
    }
    fsim_value_pool_destroy(j.pool);
    fsim_books_close(&j.books);
    return status;
}

const fsim_command fsim_command_bill = {
    .name = "bill",
    .summary = "what a price book charges for a usage record, a run, a request log or a timeline",
    .arguments = "BOOK USAGE",
    .detail = "BOOK is a name that 'fsim list books' shows, or a .json file. USAGE is one of\n"
              "  a usage record   JSON {\"requests\": \"3000000\", \"gb_s\": \"540000\"}; every quantity "
              "that a meter of\n"
              "                   the book needs and that is not optional must be mentioned\n"
              "  a run            its results folder, or the summary.json in it\n"
              "  a request log    CSV with start_ms, end_ms (or _s, _us, _ns), memory_mb, and where known "
              "function,\n"
              "                   instance, cpu_ms, init_ms, max_memory_mb, vcpu_milli, disk_mb; or the "
              "REPORT lines of\n"
              "                   AWS Lambda\n"
              "  a timeline       JSON {\"instances\": [{\"memory_mb\", \"ready_us\", \"end_us\", "
              "\"requests_us\": [[start,\n"
              "                   end], …], \"cpu_us\": [[from, to, milli], …], \"sessions_us\", …}]}\n\n"
              "A line is: used, minus free, rounded up where the book says so, times price, minus credit. "
              "Amounts are\n"
              "exact to 10^-12; only the total to pay is rounded.\n",
    .examples = "fsim bill aws-lambda.us-east-1.x86 usage.json\n"
                "fsim bill gcp-run.request.tier1 results/car-log --month\n"
                "fsim bill aws-lambda.us-east-1.arm requests.csv --format csv",
    .options = options,
    .values_size = sizeof(bill_values),
    .words_min = 2,
    .words_max = 2,
    .run = run_bill,
};
