/* fsim breakeven: from which utilisation on a fleet, provisioned capacity or paying by use is the cheapest.
 */
#include "base/text.h"
#include "billing/breakeven.h"
#include "billing/meter.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/load_options.h"
#include "cli/output.h"
#include "io/file.h"
#include "report/figures.h"
#include "report/plot_breakeven.h"
#include "report/report.h"
#include "report/table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WAYS_MAX   16
#define POINTS_MAX 1024
#define MONTH_NS   (30 * FSIM_DAY)

typedef struct breakeven_values {
    fsim_word_list books;
    fsim_ns duration_ns, cpu_ns;
    int64_t fleet, memory_mb, vcpu_milli, concurrency, points;
    int format;
    bool no_free, plot, quiet;
    const char *out;
} breakeven_values;

static const char *const formats[] = {"text", "csv", NULL};

static const fsim_option options[] = {
    {.name = "billing",
     .letter = 'b',
     .kind = FSIM_OPTION_LIST,
     .offset = offsetof(breakeven_values, books),
     .operand = "BOOK[,BOOK]",
     .help = "price books (default aws-eks-ec2.us-east-1,aws-lambda.us-east-1.arm,gcp-run.instance.tier1)"},
    {.name = "fleet",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(breakeven_values, fleet),
     .operand = "N",
     .help = "instances that a fleet keeps (default 12)",
     .min = 1,
     .max = 1000000},
    {.name = "memory-mb",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(breakeven_values, memory_mb),
     .operand = "MB",
     .help = "of an instance (default 1024)",
     .min = 1,
     .max = 1 << 20},
    {.name = "vcpu-milli",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(breakeven_values, vcpu_milli),
     .operand = "N",
     .help = "thousandths of a vCPU of an instance (default 1000)",
     .min = 1,
     .max = 1000000},
    {.name = "concurrency",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(breakeven_values, concurrency),
     .operand = "K",
     .help = "requests that an instance serves at once (default 1)",
     .min = 1,
     .max = 100000},
    {.name = "duration",
     .kind = FSIM_OPTION_SPAN,
     .offset = offsetof(breakeven_values, duration_ns),
     .operand = "SPAN",
     .help = "of a request (default 100ms)"},
    {.name = "cpu",
     .kind = FSIM_OPTION_SPAN,
     .offset = offsetof(breakeven_values, cpu_ns),
     .operand = "SPAN",
     .help = "CPU time of a request (default: its duration)"},
    {.name = "no-free",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(breakeven_values, no_free),
     .help = "without free parts"},
    {.name = "points",
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(breakeven_values, points),
     .operand = "N",
     .help = "points of the curves, evenly spaced (default 100)",
     .min = 1,
     .max = 100000},
    {.name = "plot",
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(breakeven_values, plot),
     .help = "draw the curves and where they meet: breakeven.svg and .png (gnuplot)"},
    {.name = "out",
     .letter = 'o',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(breakeven_values, out),
     .operand = "DIR",
     .help = "folder of the picture (default results/breakeven)"},
    {.name = "quiet",
     .letter = 'q',
     .kind = FSIM_OPTION_FLAG,
     .offset = offsetof(breakeven_values, quiet),
     .help = "do not say where the picture is"},
    FSIM_OPTION_ROW_FORMAT(breakeven_values, formats),
    {.name = NULL},
};

/* One way to pay: a book, and its quantities in a month at no use and what full use adds. */
typedef struct way {
    char name[160];
    const fsim_price_book *book;
    fsim_quantities idle, busy;
    fsim_invoice_options options;
} way;

typedef struct job {
    breakeven_values v;
    fsim_books books[WAYS_MAX];
    uint32_t book_count;
    way ways[2 * WAYS_MAX];
    uint32_t way_count;
    fsim_ratio points[POINTS_MAX]; /* where prices bend or two ways cost the same, rising */
    uint32_t point_count;
    fsim_plot_turn turns[POINTS_MAX]; /* where another way becomes the cheapest, rising; the first at 0 */
    uint32_t turn_count;
} job;

/* ---- what a month of the fleet meters ---- */

static uint64_t requests_at_full(const job *j) {
    fsim_u128 n = (fsim_u128)MONTH_NS * (uint64_t)j->v.fleet * (uint64_t)j->v.concurrency;
    return (uint64_t)(n / (uint64_t)j->v.duration_ns);
}

static void fill_spans(const fsim_meter_rules *rules, uint64_t count, uint64_t span_ns, uint64_t *billed_ms) {
    for (uint32_t i = 0; i < rules->count; i++) {
        billed_ms[i] = count * fsim_meter_billed_ms(&rules->rule[i], span_ns);
    }
}

/* A busy instance is full: its active time is that of its requests divided by how many it serves at once. */
static void fill_use(const job *j, const fsim_meter_plan *plan, bool provisioned, fsim_usage *u) {
    uint64_t n = requests_at_full(j), span_ns = (uint64_t)j->v.duration_ns;
    uint64_t intervals = n / (uint64_t)j->v.concurrency;
    u->requests = n;
    u->request_ns = (fsim_u128)n * span_ns;
    fill_spans(&plan->request, n, span_ns, u->request_ms);
    fill_spans(&plan->active, intervals, span_ns, u->active_ms);
    u->threshold_mem_ms = u->threshold_cpu_ms = intervals * fsim_meter_ceil_ms(span_ns);
    for (uint32_t k = 0; k < plan->more_count; k++) {
        u->threshold_more_ms[k] = u->threshold_cpu_ms;
    }
    u->cpu_ucore_ns = (fsim_u128)n * (uint64_t)j->v.cpu_ns * FSIM_UCORE;
    if (provisioned) {
        u->provisioned_requests = n;
        memcpy(u->provisioned_ms, u->request_ms, sizeof u->provisioned_ms);
    }
}

static void fill_fleet(const job *j, const fsim_meter_plan *plan, bool provisioned, fsim_usage *u) {
    uint64_t n = (uint64_t)j->v.fleet;
    fill_spans(&plan->residency, n, (uint64_t)MONTH_NS, u->residency_ms);
    fill_spans(&plan->lifetime, n, (uint64_t)MONTH_NS, u->lifetime_ms);
    if (provisioned) {
        fill_spans(&plan->provisioned, n, (uint64_t)MONTH_NS, u->provisioned_alloc_ms);
        u->provisioned_alloc_ns = (fsim_u128)n * (uint64_t)MONTH_NS;
    }
}

/* Nodes of the book that hold the fleet. */
static uint64_t nodes_for(const job *j, const fsim_price_book *book) {
    const fsim_node_size *node = &book->metering.node;
    uint64_t by_cpu = node->vcpu_milli / (uint64_t)j->v.vcpu_milli;
    uint64_t by_memory = node->memory_mib / (uint64_t)j->v.memory_mb;
    uint64_t fit = by_cpu < by_memory ? by_cpu : by_memory;
    return fit == 0 ? 0 : ((uint64_t)j->v.fleet + fit - 1) / fit;
}

static fsim_status quantities(const job *j, const fsim_price_book *book, bool provisioned, bool use,
                              fsim_quantities *out, fsim_error *err) {
    bool first = true;
    fsim_meter_plan plan = fsim_meter_plan_default();
    fsim_usage usage = {.memory_mb = (uint64_t)j->v.memory_mb, .vcpu_milli = (uint64_t)j->v.vcpu_milli};
    fsim_usage_nodes nodes[FSIM_NODE_SIZES_MAX] = {{0}};
    FSIM_TRY(fsim_price_book_require(book, &plan, &first, err));
    plan.metered = FSIM_METERED_THRESHOLD | FSIM_METERED_INSTANCES | FSIM_METERED_PROVISIONED |
                   FSIM_METERED_MINIMUM | FSIM_METERED_UNUSED;
    fill_fleet(j, &plan, provisioned, &usage);
    if (use) {
        fill_use(j, &plan, provisioned, &usage);
    }
    if (book->metering.mode == FSIM_MODE_NODE_HOURS) {
        uint64_t count = nodes_for(j, book);
        if (count == 0) {
            return fsim_fail(err, FSIM_EUSAGE, "an instance does not fit into a node of price book %s",
                             book->id);
        }
        nodes[fsim_price_book_node(book, &plan)].node_ns = (fsim_u128)count * (uint64_t)MONTH_NS;
    }
    const fsim_metered_run run = {
        .plan = &plan, .functions = &usage, .function_count = 1, .nodes = nodes, .horizon_ns = MONTH_NS};
    return fsim_quantities_of_run(out, book, &run, err);
}

static fsim_status add_way(job *j, const fsim_price_book *book, bool provisioned, fsim_error *err) {
    way *w = &j->ways[j->way_count++];
    snprintf(w->name, sizeof w->name, "%.130s%s", book->id, provisioned ? " provisioned" : "");
    w->book = book;
    w->options.free_off = j->v.no_free;
    for (uint32_t i = 0; i < book->fixed_count; i++) {
        w->options.fixed[i] =
            (fsim_ratio){(MONTH_NS + book->fixed[i].period_ns - 1) / book->fixed[i].period_ns, 1};
    }
    FSIM_TRY(quantities(j, book, provisioned, false, &w->idle, err));
    FSIM_TRY(quantities(j, book, provisioned, true, &w->busy, err));
    for (int q = 0; q < FSIM_QUANTITY_COUNT; q++) {
        if (w->busy.has[q] && !fsim_ratio_sub(w->busy.value[q], w->idle.value[q], &w->busy.value[q])) {
            return fsim_fail(err, FSIM_ELIMIT, "quantity %s does not fit into 128 bits",
                             fsim_quantity_names[q]);
        }
    }
    return FSIM_OK;
}

static bool has_meter(const fsim_price_book *book, fsim_quantity quantity) {
    for (uint32_t i = 0; i < book->meter_count; i++) {
        for (uint32_t t = 0; t < book->meter[i].term_count; t++) {
            if (book->meter[i].term[t].quantity == quantity) {
                return true;
            }
        }
    }
    return false;
}

/* ---- costs and where they meet ---- */

static bool quantity_at(const way *w, int q, fsim_ratio x, fsim_ratio *out) {
    return fsim_ratio_mul(w->busy.value[q], x, out) && fsim_ratio_add(*out, w->idle.value[q], out);
}

static bool cost_at(const void *user, fsim_ratio x, fsim_ratio *cost) {
    const way *w = user;
    fsim_quantities q = {0};
    for (int i = 0; i < FSIM_QUANTITY_COUNT; i++) {
        q.has[i] = w->idle.has[i];
        if (q.has[i] && !quantity_at(w, i, x, &q.value[i])) {
            return false;
        }
    }
    return fsim_invoice_exact(cost, w->book, &q, &w->options);
}

static fsim_status no_fit(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "a price does not fit into 128 bits");
}

static void add_point(job *j, fsim_ratio x) {
    int low = 0, high = 0, order = 0;
    fsim_i128 pico;
    if (j->point_count == POINTS_MAX || !fsim_ratio_to_pico(x, FSIM_ROUND_HALF_UP, &pico) ||
        !fsim_ratio_make(pico, FSIM_PICO, &x) || !fsim_ratio_compare(x, (fsim_ratio){0, 1}, &low) ||
        !fsim_ratio_compare(x, (fsim_ratio){1, 1}, &high) || low < 0 || high > 0) {
        return;
    }
    uint32_t at = 0;
    while (at < j->point_count && fsim_ratio_compare(j->points[at], x, &order) && order < 0) {
        at++;
    }
    if (at < j->point_count && order == 0) {
        return;
    }
    memmove(&j->points[at + 1], &j->points[at], (j->point_count - at) * sizeof *j->points);
    j->points[at] = x;
    j->point_count++;
}

/* Where a meter's quantity reaches a bound: the end of its free part, or of a tier behind that. */
static void add_bend(job *j, const way *w, const fsim_book_meter *meter, fsim_ratio bound) {
    fsim_ratio idle = {0, 1}, busy = {0, 1}, part, x;
    for (uint32_t t = 0; t < meter->term_count; t++) {
        int q = (int)meter->term[t].quantity;
        if (w->idle.has[q] && (!fsim_ratio_mul(w->idle.value[q], meter->term[t].factor, &part) ||
                               !fsim_ratio_add(idle, part, &idle) ||
                               !fsim_ratio_mul(w->busy.value[q], meter->term[t].factor, &part) ||
                               !fsim_ratio_add(busy, part, &busy))) {
            return;
        }
    }
    if (busy.num > 0 && fsim_ratio_sub(bound, idle, &x) && fsim_ratio_div(x, busy, &x)) {
        add_point(j, x);
    }
}

/* The credit of a meter is used up where its quantity times its price is the credit. */
static fsim_ratio free_bound(const fsim_book_meter *meter) {
    fsim_ratio bound = meter->free, price, given;
    if (meter->free_is_credit && meter->tiers.tier[0].price_pico != 0 &&
        fsim_ratio_make(meter->free_price_pico, meter->tiers.tier[0].price_pico, &price) &&
        fsim_ratio_mul(meter->free, price, &given)) {
        bound = given;
    }
    return bound;
}

static void add_bends(job *j, const way *w) {
    for (uint32_t i = 0; i < w->book->meter_count; i++) {
        const fsim_book_meter *meter = &w->book->meter[i];
        fsim_ratio nothing = {0, 1}, free = j->v.no_free ? nothing : free_bound(meter), bound;
        add_bend(j, w, meter, free);
        for (uint32_t t = 0; t + 1 < meter->tiers.count; t++) {
            bool behind = !meter->free_is_credit && !j->v.no_free;
            if (fsim_ratio_add(meter->tiers.tier[t].up_to, behind ? meter->free : nothing, &bound)) {
                add_bend(j, w, meter, bound);
            }
        }
    }
}

/* Between bends costs are straight lines: two of them meet once at most. */
static fsim_status add_meetings(job *j, fsim_error *err) {
    fsim_ratio bends[POINTS_MAX];
    uint32_t count = j->point_count;
    memcpy(bends, j->points, count * sizeof *bends);
    for (uint32_t p = 0; p + 1 < count; p++) {
        for (uint32_t a = 0; a < j->way_count; a++) {
            for (uint32_t b = a + 1; b < j->way_count; b++) {
                const fsim_cost left = {cost_at, &j->ways[a]}, right = {cost_at, &j->ways[b]};
                fsim_ratio x;
                bool found;
                if (!fsim_breakeven_solve(left, right, bends[p], bends[p + 1], &x, &found)) {
                    return no_fit(err);
                }
                if (found) {
                    add_point(j, x);
                }
            }
        }
    }
    return FSIM_OK;
}

static uint32_t cheapest_at(const job *j, fsim_ratio x) {
    fsim_ratio best = {0, 1}, cost;
    uint32_t at = 0;
    for (uint32_t i = 0; i < j->way_count; i++) {
        int order = 0;
        if (cost_at(&j->ways[i], x, &cost) &&
            (i == 0 || (fsim_ratio_compare(cost, best, &order) && order < 0))) {
            best = cost;
            at = i;
        }
    }
    return at;
}

static double number(fsim_ratio x) {
    return (double)x.num / (double)x.den; /* for showing only */
}

/* Between two points one way is the cheapest: that in their middle. */
static void find_turns(job *j) {
    for (uint32_t p = 0; p + 1 < j->point_count; p++) {
        fsim_ratio middle, cost = {0, 1};
        fsim_ratio_add(j->points[p], j->points[p + 1], &middle);
        fsim_ratio_mul(middle, (fsim_ratio){1, 2}, &middle);
        uint32_t best = cheapest_at(j, middle);
        if (j->turn_count == 0 || best != j->turns[j->turn_count - 1u].way) {
            (void)cost_at(&j->ways[best], j->points[p], &cost);
            j->turns[j->turn_count++] = (fsim_plot_turn){number(j->points[p]), number(cost), best};
        }
    }
}

/* ---- output ---- */

static double full_rate(const job *j) {
    return (double)requests_at_full(j) / fsim_ns_to_s(MONTH_NS);
}

static fsim_status print_text(const job *j, FILE *out, fsim_error *err) {
    fsim_table *table = fsim_table_create(3, 0);
    fprintf(out,
            "A fleet of %lld instances of %lld MB and %.3g vCPU, requests of %s, %lld at once: %.6g "
            "requests/s at "
            "100 %%\n\n",
            (long long)j->v.fleet, (long long)j->v.memory_mb, (double)j->v.vcpu_milli / 1000.0,
            fsim_figure_span(fsim_ns_to_s(j->v.duration_ns)).text, (long long)j->v.concurrency, full_rate(j));
    if (table == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_table_add(table, "from utilisation");
    fsim_table_add(table, "requests/s");
    fsim_table_add(table, "the cheapest is");
    for (uint32_t t = 0; t < j->turn_count; t++) {
        fsim_table_add(table, "%.6g %%", 100.0 * j->turns[t].utilisation);
        fsim_table_add(table, "%.6g", j->turns[t].utilisation * full_rate(j));
        fsim_table_add(table, "%s", j->ways[j->turns[t].way].name);
    }
    bool ok = fsim_table_print(table, FSIM_TABLE_TEXT, 0, out);
    fsim_table_destroy(table);
    return ok ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

static fsim_status print_curve(const job *j, FILE *out, fsim_error *err) {
    fputs("utilisation,requests_per_s", out);
    for (uint32_t i = 0; i < j->way_count; i++) {
        fprintf(out, ",%s", j->ways[i].name);
    }
    fputc('\n', out);
    for (int64_t p = 0; p <= j->v.points; p++) {
        fsim_ratio x = {p, j->v.points}, cost;
        fsim_i128 pico;
        char text[FSIM_DECIMAL_SIZE];
        fprintf(out, "%.12g,%.12g", number(x), number(x) * full_rate(j));
        for (uint32_t i = 0; i < j->way_count; i++) {
            if (!cost_at(&j->ways[i], x, &cost) || !fsim_ratio_to_pico(cost, FSIM_ROUND_HALF_UP, &pico)) {
                return no_fit(err);
            }
            fprintf(out, ",%s", fsim_decimal_print_pico(pico, text, sizeof text));
        }
        fputc('\n', out);
    }
    return FSIM_OK;
}

static fsim_status draw(const job *j, fsim_error *err) {
    const char *folder = j->v.out != NULL ? j->v.out : "results/breakeven", *names[2 * WAYS_MAX];
    size_t points = (size_t)j->v.points + 1, ways = j->way_count;
    char title[200];
    double *cost = calloc(points * ways, sizeof *cost);
    if (cost == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    for (size_t w = 0; w < ways; w++) {
        names[w] = j->ways[w].name;
    }
    for (size_t at = 0; at < points * ways; at++) {
        fsim_ratio x = {(fsim_i128)(at / ways), (fsim_i128)(points - 1)}, c;
        if (!cost_at(&j->ways[at % ways], x, &c)) {
            free(cost);
            return no_fit(err);
        }
        cost[at] = number(c);
    }
    snprintf(title, sizeof title, "%lld instances of %lld MB and %.3g vCPU, requests of %s, %lld at once",
             (long long)j->v.fleet, (long long)j->v.memory_mb, (double)j->v.vcpu_milli / 1000.0,
             fsim_figure_span(fsim_ns_to_s(j->v.duration_ns)).text, (long long)j->v.concurrency);
    const fsim_plot_breakeven what = {.title = title,
                                      .currency = j->books[0].items[0]->currency,
                                      .full_rate = full_rate(j),
                                      .way_count = ways,
                                      .names = names,
                                      .points = points,
                                      .cost = cost,
                                      .turn_count = j->turn_count,
                                      .turns = j->turns};
    fsim_status status = fsim_file_make_directory(folder, err);
    if (status == FSIM_OK) {
        status = fsim_plot_breakeven_draw(folder, &what, err);
    }
    free(cost);
    if (status == FSIM_OK && !j->v.quiet) {
        fprintf(stderr, "fsim: picture in %s/breakeven.svg\n", folder);
    }
    return status;
}

/* ---- the command ---- */

static void take_defaults(job *j, const breakeven_values *v) {
    j->v = *v;
    j->v.fleet = v->fleet == 0 ? 12 : v->fleet;
    j->v.memory_mb = v->memory_mb == 0 ? 1024 : v->memory_mb;
    j->v.vcpu_milli = v->vcpu_milli == 0 ? 1000 : v->vcpu_milli;
    j->v.concurrency = v->concurrency == 0 ? 1 : v->concurrency;
    j->v.points = v->points == 0 ? 100 : v->points;
    j->v.duration_ns = v->duration_ns == 0 ? 100 * FSIM_MS : v->duration_ns;
    j->v.cpu_ns = v->cpu_ns == 0 ? j->v.duration_ns : v->cpu_ns;
}

static fsim_status open_books(job *j, fsim_error *err) {
    static const char *usual[] = {"aws-eks-ec2.us-east-1", "aws-lambda.us-east-1.arm",
                                  "gcp-run.instance.tier1"};
    fsim_word_list names = j->v.books;
    if (names.count == 0) {
        names = (fsim_word_list){usual, sizeof usual / sizeof *usual};
    }
    if (names.count > WAYS_MAX) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--billing", "%zu books, at most %d", names.count, WAYS_MAX);
    }
    for (size_t i = 0; i < names.count; i++) {
        FSIM_TRY(fsim_books_open_one(&j->books[j->book_count], names.items[i], err));
        const fsim_price_book *book = j->books[j->book_count++].items[0];
        if (strcmp(book->currency, j->books[0].items[0]->currency) != 0) {
            return fsim_fail_at(err, FSIM_EUSAGE, "--billing",
                                "%s is in %s and %s in %s: compare one currency", j->books[0].items[0]->id,
                                j->books[0].items[0]->currency, book->id, book->currency);
        }
        FSIM_TRY(add_way(j, book, false, err));
        if (has_meter(book, FSIM_Q_PC_EXEC_GB_S)) {
            FSIM_TRY(add_way(j, book, true, err));
        }
    }
    return FSIM_OK;
}

static fsim_status solve(job *j, fsim_error *err) {
    add_point(j, (fsim_ratio){0, 1});
    add_point(j, (fsim_ratio){1, 1});
    for (uint32_t i = 0; i < j->way_count; i++) {
        add_bends(j, &j->ways[i]);
    }
    FSIM_TRY(add_meetings(j, err));
    find_turns(j);
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status =
        j->v.format == 1 ? print_curve(j, output.stream, err) : print_text(j, output.stream, err);
    FSIM_TRY(fsim_output_end(&output, status, err));
    return j->v.plot ? draw(j, err) : FSIM_OK;
}

static fsim_status run_breakeven(const fsim_parsed *parsed, fsim_error *err) {
    job *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    take_defaults(j, parsed->values);
    fsim_status status =
        j->v.out != NULL && !j->v.plot
            ? fsim_fail_at(err, FSIM_EUSAGE, "--out", "is the folder of --plot, which is missing")
            : open_books(j, err);
    if (status == FSIM_OK) {
        status = solve(j, err);
    }
    for (uint32_t i = 0; i < j->book_count; i++) {
        fsim_books_close(&j->books[i]);
    }
    free(j);
    return status;
}

const fsim_command fsim_command_breakeven = {
    .name = "breakeven",
    .summary = "from which utilisation on a fleet, provisioned capacity or paying by use is the cheapest",
    .arguments = "",
    .detail =
        "A fleet of --fleet instances could be busy all the time; the utilisation is the share of it that "
        "is\n"
        "used. Books of nodes (node-hours) and of instances (residency) pay for the whole fleet, books of\n"
        "requests, active time or CPU time for the use alone; a book that prices provisioned capacity is "
        "there\n"
        "twice. A month has 30 days. Prices bend where free parts and tiers end; between bends two ways "
        "cost\n"
        "the same at one utilisation at most, which is solved for on the exact price functions.\n\n"
        "--format csv writes the curves: what each way costs a month; --plot draws them.\n",
    .examples = "fsim breakeven\n"
                "fsim breakeven --billing aws-lambda.us-east-1.x86 --no-free\n"
                "fsim breakeven --plot --out pictures\n"
                "fsim breakeven --memory-mb 128 --vcpu-milli 100 --fleet 100 --format csv > curves.csv",
    .options = options,
    .values_size = sizeof(breakeven_values),
    .words_min = 0,
    .words_max = 0,
    .run = run_breakeven,
};
