/* One run at a glance: what happened, who was refused and why, who waited, what the instances did, the bills.
 */
#include "report/bill_view.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/summary_path_json.h"
#include "report/table.h"

#include <string.h>

#define HEAD       "%-12s"
#define METERS_MAX 10

typedef struct view {
    const json_t *summary;
    FILE *out;
    bool replicated;
} view;

static double number(const view *v, const char *path) {
    return fsim_summary_number(v->summary, "%s", path);
}

static const char *count(const view *v, const char *path, fsim_figure *f) {
    *f = fsim_figure_count(number(v, path));
    return f->text;
}

/* " ± 0.2", where there are replications. */
static void print_plus_minus(const view *v, const char *path, fsim_figure (*format)(double)) {
    if (v->replicated) {
        fprintf(v->out, " ± %s", format(fsim_summary_number(v->summary, "ci95.%s", path)).text);
    }
}

static void print_title(const view *v) {
    const char *policy = fsim_summary_text(v->summary, "policy");
    fprintf(v->out, "%s under %s: %s simulated", fsim_summary_text(v->summary, "name"), policy,
            fsim_figure_horizon(number(v, "horizon_s")).text);
    if (v->replicated) {
        fprintf(v->out, ", %.0f replications (± is the 95 %% half width)", number(v, "replications"));
    }
    fprintf(v->out, ", seed %.0f\n\n", number(v, "seed"));
}

/* Counts of the outcomes; those that did not occur are left out. */
static void print_requests(const view *v) {
    static const struct {
        const char *path, *words;
    } outcomes[] = {{"requests.rejected_429", "refused (429)"},
                    {"requests.rejected_503", "refused (503)"},
                    {"requests.timed_out", "timed out (504)"},
                    {"requests.failed", "failed"},
                    {"requests.in_system_at_end", "unfinished"}};
    fsim_figure f;
    double arrived = number(v, "requests.arrived");
    double completed = number(v, "requests.completed");
    fprintf(v->out, HEAD "%s arrived", "Requests", count(v, "requests.arrived", &f));
    fprintf(v->out, "; %s completed (%s)", count(v, "requests.completed", &f),
            fsim_figure_share(arrived > 0 ? completed / arrived : 0).text);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        if (number(v, outcomes[i].path) > 0) {
            fprintf(v->out, ", %s %s", count(v, outcomes[i].path, &f), outcomes[i].words);
        }
    }
    fputc('\n', v->out);
}

static void print_refusals(const view *v) {
    static const struct {
        const char *path, *words;
    } causes[] = {{"throttled.account", "account concurrency"}, {"throttled.function", "function limit"},
                  {"throttled.memory_quota", "memory quota"},   {"throttled.start_rate", "start rate"},
                  {"throttled.gateway", "gateway rate"},        {"throttled.queue_full", "queue full"}};
    double all = 0;
    fsim_figure f;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        all += number(v, causes[i].path);
    }
    fprintf(v->out, HEAD, "Refused");
    if (all == 0) {
        fputs("nobody\n", v->out);
        return;
    }
    const char *separator = "by ";
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (number(v, causes[i].path) > 0) {
            fprintf(v->out, "%s%s %s", separator, causes[i].words, count(v, causes[i].path, &f));
            separator = ", ";
        }
    }
    if (number(v, "requests.retries") > 0) {
        fprintf(v->out, "; %s retries", count(v, "requests.retries", &f));
    }
    fputc('\n', v->out);
}

static const char *plural(const view *v, const char *path, const char *one, const char *many) {
    return number(v, path) == 1 ? one : many;
}

static void print_cold(const view *v) {
    static const char *const phases[] = {"schedule", "pull", "sandbox", "runtime", "user"};
    fsim_figure f;
    fprintf(v->out, HEAD, "Cold starts");
    if (number(v, "cold.affected") == 0) {
        fputs("no request met one\n", v->out);
        return;
    }
    fprintf(v->out, "%s %s (%s", count(v, "cold.affected", &f),
            plural(v, "cold.affected", "request", "requests"),
            fsim_figure_share(number(v, "cold.ratio")).text);
    print_plus_minus(v, "cold.ratio", fsim_figure_share);
    fprintf(v->out, ") met one; %s %s caused by a request\n", count(v, "cold.triggered", &f),
            plural(v, "cold.triggered", "start", "starts"));
    const char *separator = "  of it     ";
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        double seconds = fsim_summary_number(v->summary, "cold.phases_s.%s", phases[i]);
        if (seconds > 0) {
            fprintf(v->out, "%s%s %s", separator, phases[i], fsim_figure_span(seconds).text);
            separator = ", ";
        }
    }
    fputs(separator[0] == ',' ? "\n" : "", v->out);
}

static void print_waiting(const view *v) {
    fprintf(v->out, HEAD "%s of the requests", "Waiting", fsim_figure_share(number(v, "wait_s.p_wait")).text);
    if (number(v, "queue.peak") > 0) {
        fsim_figure f;
        fprintf(v->out, "; queue %s on average", fsim_figure_real(number(v, "queue.mean")).text);
        fprintf(v->out, ", %s at most", count(v, "queue.peak", &f));
    }
    fputc('\n', v->out);
}

/* Only where a function has session affinity. */
static void print_sessions(const view *v) {
    static const struct {
        const char *path, *words;
    } ends[] = {{"sessions.expired", "ended idle"},
                {"sessions.cut", "cut at their life-time"},
                {"sessions.lost", "lost with their instance"},
                {"sessions.at_end", "alive at the end"}};
    fsim_figure f;
    if (json_object_get(v->summary, "sessions") == NULL) {
        return;
    }
    fprintf(v->out, HEAD "%s begun", "Sessions", count(v, "sessions.started", &f));
    const char *separator = "; ";
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (number(v, ends[i].path) > 0) {
            fprintf(v->out, "%s%s %s", separator, count(v, ends[i].path, &f), ends[i].words);
            separator = ", ";
        }
    }
    fprintf(v->out, "; %s requests followed theirs", count(v, "sessions.followed", &f));
    if (number(v, "sessions.elsewhere") > 0) {
        fprintf(v->out, ", %s went elsewhere", count(v, "sessions.elsewhere", &f));
    }
    fputc('\n', v->out);
}

static void print_instances(const view *v) {
    fsim_figure f;
    fprintf(v->out, HEAD "%s", "Instances", fsim_figure_real(number(v, "instances.mean")).text);
    print_plus_minus(v, "instances.mean", fsim_figure_real);
    fprintf(v->out, " on average (%s starting, ",
            fsim_figure_real(number(v, "instances.mean_starting")).text);
    fprintf(v->out, "%s busy, ", fsim_figure_real(number(v, "instances.mean_busy")).text);
    fprintf(v->out, "%s idle)", fsim_figure_real(number(v, "instances.mean_idle")).text);
    fprintf(v->out, ", %s at most", count(v, "instances.peak", &f));
    fprintf(v->out, "; %s started", count(v, "instances.started", &f));
    fprintf(v->out, ", %s removed", count(v, "instances.removed", &f));
    if (number(v, "instances.crashed") > 0) {
        fprintf(v->out, ", %s crashed", count(v, "instances.crashed", &f));
    }
    if (number(v, "instances.ejected") > 0) {
        fprintf(v->out, "; %s found unhealthy", count(v, "instances.ejected", &f));
    }
    fputc('\n', v->out);
    fprintf(v->out, HEAD "%s requests in execution on average", "Load",
            fsim_figure_real(number(v, "concurrency.mean")).text);
    fprintf(v->out, ", %s at most", count(v, "concurrency.peak", &f));
    fprintf(v->out, "; %s of the slots in use\n", fsim_figure_share(number(v, "utilisation")).text);
    if (fsim_summary_size(v->summary, "nodes") > 0) {
        fprintf(v->out, HEAD "%s on average", "Nodes", fsim_figure_real(number(v, "nodes.mean")).text);
        fprintf(v->out, ", %s at most; CPU ", count(v, "nodes.peak", &f));
        fprintf(v->out, "%s, memory ", fsim_figure_share(number(v, "nodes.cpu_utilisation")).text);
        fprintf(v->out, "%s in use\n", fsim_figure_share(number(v, "nodes.memory_utilisation")).text);
    }
}

static void add_spans(fsim_table *table, const view *v, const char *label, const char *prefix,
                      const char *path) {
    static const char *const columns[] = {"mean", "p50", "p90", "p95", "p99", "p999", "max"};
    fsim_table_add(table, "%s", label);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const json_t *value = fsim_summary_find(v->summary, "%s%s.%s", prefix, path, columns[i]);
        double seconds;
        fsim_table_add(table, "%s",
                       fsim_summary_value(value, &seconds) ? fsim_figure_span(seconds).text : "");
    }
}

static bool print_times(const view *v) {
    static const char *const heads[] = {"          ", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"};
    static const struct {
        const char *label, *path;
    } rows[] = {{"Latency", "latency_s"},
                {"  when cold", "cold.latency_s"},
                {"Wait", "wait_s"},
                {"Execution", "service_s"}};
    fsim_table *table = fsim_table_create(8, 1);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        fsim_table_add(table, "%s", heads[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].path, "cold.latency_s") == 0 && number(v, "cold.affected") == 0) {
            continue;
        }
        add_spans(table, v, rows[i].label, "", rows[i].path);
        if (v->replicated) {
            add_spans(table, v, "  ±", "ci95.", rows[i].path);
        }
    }
    fputc('\n', v->out);
    bool ok = fsim_table_print(table, FSIM_TABLE_TEXT, 0, v->out);
    fsim_table_destroy(table);
    return ok;
}

static fsim_i128 largest_total(const json_t *summary, size_t bills) {
    fsim_i128 largest = 0;
    for (size_t b = 0; b < bills; b++) {
        fsim_i128 total = fsim_bill_total(summary, b);
        largest = total > largest ? total : largest;
    }
    return largest;
}

static void fill_bills(fsim_table *table, const view *v, size_t bills) {
    const char *meters[METERS_MAX + 1];
    json_t *const one = (json_t *)(uintptr_t)v->summary;
    size_t meter_count = fsim_bill_meter_names(&one, 1, meters, METERS_MAX + 1);
    int places = fsim_figure_places(largest_total(v->summary, bills));
    bool month = fsim_summary_number(v->summary, "bills[0].month_s") > 0;
    fsim_table_add(table, "%-10s", month ? "Bill of a month" : "Bill");
    for (size_t b = 0; b < bills; b++) {
        fsim_table_add(table, "%s", fsim_summary_text(v->summary, "bills[%zu].book", b));
    }
    for (size_t m = 0; meter_count <= METERS_MAX && m < meter_count; m++) {
        fsim_table_add(table, "  %s", meters[m]);
        for (size_t b = 0; b < bills; b++) {
            fsim_i128 amount = fsim_bill_meter(v->summary, b, meters[m]);
            fsim_table_add(table, "%s", amount == 0 ? "-" : fsim_figure_money(amount, places).text);
        }
    }
    fsim_table_add(table, "Total");
    for (size_t b = 0; b < bills; b++) {
        fsim_table_add(table, "%s %s", fsim_summary_text(v->summary, "bills[%zu].currency", b),
                       fsim_figure_money(fsim_bill_total(v->summary, b), places).text);
    }
    if (v->replicated) {
        fsim_table_add(table, "  ±");
        for (size_t b = 0; b < bills; b++) {
            double half = fsim_summary_number(v->summary, "ci95.bills[%zu].total", b);
            fsim_table_add(table, "%.*f", places, half);
        }
    }
    fsim_table_add(table, "  a million requests");
    for (size_t b = 0; b < bills; b++) {
        fsim_i128 each = fsim_bill_per_million(v->summary, b);
        fsim_table_add(table, "%s", fsim_figure_money(each, fsim_figure_places(each)).text);
    }
}

static bool print_bills(const view *v) {
    size_t bills = fsim_summary_size(v->summary, "bills");
    if (bills == 0) {
        return true;
    }
    fsim_table *table = fsim_table_create((uint32_t)bills + 1, 1);
    if (table == NULL) {
        return false;
    }
    fill_bills(table, v, bills);
    fputc('\n', v->out);
    bool ok = fsim_table_print(table, FSIM_TABLE_TEXT, 0, v->out);
    fsim_table_destroy(table);
    return ok;
}

static void print_warnings(const view *v) {
    size_t warnings = fsim_summary_size(v->summary, "warnings");
    for (size_t i = 0; i < warnings; i++) {
        fprintf(v->out, "%sWarning: %s\n", i == 0 ? "\n" : "",
                fsim_summary_text(v->summary, "warnings[%zu]", i));
    }
    size_t bills = fsim_summary_size(v->summary, "bills");
    for (size_t b = 0; b < bills; b++) {
        size_t missing = fsim_summary_size(v->summary, "bills[%zu].left_out", b);
        for (size_t i = 0; i < missing; i++) {
            fprintf(v->out, "%s%s%s", i == 0 ? fsim_summary_text(v->summary, "bills[%zu].book", b) : ",",
                    i == 0 ? " leaves out what the run does not measure: " : " ",
                    fsim_summary_text(v->summary, "bills[%zu].left_out[%zu]", b, i));
        }
        fputs(missing > 0 ? "\n" : "", v->out);
    }
}

fsim_status fsim_report_text(FILE *out, const json_t *summary, fsim_error *err) {
    view v = {summary, out, fsim_summary_number(summary, "replications") > 1};
    print_title(&v);
    print_requests(&v);
    print_refusals(&v);
    print_cold(&v);
    print_waiting(&v);
    print_sessions(&v);
    print_instances(&v);
    if (!print_times(&v) || !fsim_report_versions(out, summary) || !print_bills(&v)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the summary");
    }
    print_warnings(&v);
    return FSIM_OK;
}
