/* What each picture shows. Time series are drawn as steps: a value holds over its whole span. */
#include "report/plot_picture.h"

#include "report/bill_view.h"
#include "report/figures.h"
#include "report/plot_text.h"
#include "report/summary_path_json.h"

#include <math.h>
#include <string.h>

#define NAMES_ABREAST 110u /* characters of book names side by side below a picture */
#define METERS_MAX    8

enum { TIME, STARTING, BUSY, IDLE, EXECUTING, QUEUED, WANTED, INSTANCES };
static const char *const series_columns[] = {"time_s", "starting", "busy",      "idle", "in_execution",
                                             "queued", "wanted",   "instances", NULL};
static const char *const rate_columns[] = {"time_s", "arrived", "completed", "refused", "timed_out", NULL};
enum { FROM, TO, REQUESTS, COLD, WARM };
static const char *const latency_columns[] = {"from_s", "to_s", "requests", "cold", "warm", NULL};

fsim_status fsim_plot_subject_read(fsim_plot_subject *s, const char *folder, const json_t *summary,
                                   fsim_error *err) {
    *s = (fsim_plot_subject){.summary = summary};
    FSIM_TRY(fsim_plot_read(&s->series, folder, "timeseries.csv", series_columns, err));
    FSIM_TRY(fsim_plot_read(&s->rates, folder, "timeseries.csv", rate_columns, err));
    FSIM_TRY(fsim_plot_read(&s->latency, folder, "latency.csv", latency_columns, err));
    for (size_t c = 1; c < s->rates.columns; c++) {
        fsim_plot_rate(&s->rates, c);
    }
    fsim_plot_coarsen(&s->rates);
    fsim_plot_coarsen(&s->series);
    return FSIM_OK;
}

void fsim_plot_subject_forget(fsim_plot_subject *s) {
    fsim_plot_forget(&s->series);
    fsim_plot_forget(&s->rates);
    fsim_plot_forget(&s->latency);
}

/* ---- pieces ---- */

static const char *text(const fsim_plot_subject *s, const char *path) {
    return fsim_summary_text(s->summary, "%s", path);
}

static double number(const fsim_plot_subject *s, const char *path) {
    return fsim_summary_number(s->summary, "%s", path);
}

/* "car-log under knative: what" and a second line. */
static void set_title(FILE *out, const fsim_plot_subject *s, size_t count, const char *what,
                      const char *below) {
    char title[1024];
    if (count == 1) {
        snprintf(title, sizeof title, "%s under %s: %s", text(s, "name"), text(s, "policy"), what);
    } else {
        snprintf(title, sizeof title, "%s, %zu policies compared: %s", text(s, "name"), count, what);
    }
    fputs("set title ", out);
    fsim_plot_quote(out, title);
    if (below[0] != '\0') {
        fputs(" . \"\\n\" . ", out);
        fsim_plot_quote(out, below);
    }
    fputs("\n", out);
}

/* End of the last row of the longest series: where the time axis ends. */
static double end_of(const fsim_plot_subject *subjects, size_t count) {
    double end = 0;
    for (size_t i = 0; i < count; i++) {
        const fsim_plot_data *d = &subjects[i].series;
        double last = d->rows == 0 ? 0 : d->value[(d->rows - 1) * d->columns];
        end = last > end ? last : end;
    }
    return end;
}

static void set_time_axis(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    double unit, end = end_of(subjects, count);
    const char *name = fsim_plot_time_unit(end, &unit);
    fprintf(out, "set xlabel 'simulated time (%s)'\nset xrange [0:%.6g]\n", name, end > 0 ? end / unit : 1);
}

/* Time in the unit of the axis, then sums of columns: step k holds columns mask[k]. Each row is its two
 * corners. */
static void write_steps(FILE *out, const char *block, size_t i, const fsim_plot_data *d, const unsigned *mask,
                        size_t masks, double unit) {
    double before = fsim_plot_begin(d);
    fprintf(out, "$%s%zu << EOD\n", block, i);
    for (size_t r = 0; r < d->rows; r++) {
        const double *row = &d->value[r * d->columns];
        for (int corner = 0; corner < 2; corner++) {
            fprintf(out, "%.7g", (corner == 0 ? before : row[0]) / unit);
            for (size_t m = 0; m < masks; m++) {
                double sum = 0;
                for (size_t c = 0; c < d->columns; c++) {
                    sum += (mask[m] >> c & 1u) != 0 ? row[c] : 0;
                }
                fprintf(out, " %.5g", sum);
            }
            fputc('\n', out);
        }
        before = row[0];
    }
    fputs(d->rows == 0 ? "0 0 0 0 0 0 0\nEOD\n" : "EOD\n", out);
}

static bool any(const fsim_plot_data *d, size_t column) {
    for (size_t r = 0; r < d->rows; r++) {
        if (d->value[r * d->columns + column] > 0) {
            return true;
        }
    }
    return false;
}

static void write_series(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    static const unsigned masks[] = {1u << STARTING | 1u << BUSY | 1u << IDLE, 1u << STARTING | 1u << BUSY,
                                     1u << STARTING, 1u << EXECUTING | 1u << QUEUED, 1u << WANTED};
    double unit;
    (void)fsim_plot_time_unit(end_of(subjects, count), &unit);
    for (size_t i = 0; i < count; i++) {
        write_steps(out, "series", i, &subjects[i].series, masks, sizeof masks / sizeof *masks, unit);
    }
}

static void write_rates(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    static const unsigned masks[] = {1u << 1, 1u << 2, 1u << 3 | 1u << 4, 1u << 3};
    double unit;
    (void)fsim_plot_time_unit(end_of(subjects, count), &unit);
    for (size_t i = 0; i < count; i++) {
        write_steps(out, "rates", i, &subjects[i].rates, masks, sizeof masks / sizeof *masks, unit);
    }
}

/* The i-th line of a comparison: the later, the thinner, so that lines on top of each other all show. */
static void line_style(FILE *out, size_t i) {
    fprintf(out, " linecolor rgb '%s' linewidth %.1f dashtype %zu", fsim_plot_colour(i),
            i < 5 ? 3.5 - 0.5 * (double)i : 1.0, 1 + i / 8);
}

/* ---- instances and demand over time ---- */

static void draw_instances(FILE *out, const fsim_plot_subject *s, size_t count) {
    fsim_figure mean = fsim_figure_real(number(s, "instances.mean"));
    char below[256];
    snprintf(below, sizeof below, "%s instances on average, %s at most; %s of the slots in use", mean.text,
             fsim_figure_count(number(s, "instances.peak")).text,
             fsim_figure_share(number(s, "utilisation")).text);
    fsim_plot_frame(out);
    set_title(out, s, count, "instances and demand", below);
    set_time_axis(out, s, count);
    fputs("set ylabel 'instances, requests'\n"
          "plot $series0 using 1:2 with filledcurves y1=0 linecolor rgb '#bcd9ea' title 'idle', \\\n"
          " '' using 1:3 with filledcurves y1=0 linecolor rgb '" FSIM_PLOT_BLUE "' title 'busy', \\\n"
          " '' using 1:4 with filledcurves y1=0 linecolor rgb '" FSIM_PLOT_ORANGE "' title 'starting', \\\n",
          out);
    if (any(&s->series, WANTED)) {
        fputs(" '' using 1:6 with lines linecolor rgb '" FSIM_PLOT_GREEN
              "' linewidth 1.5 title 'wanted', \\\n",
              out);
    }
    fputs(" '' using 1:5 with lines linecolor rgb '" FSIM_PLOT_BLACK
          "' linewidth 1 title 'demand: requests'\n",
          out);
}

static void draw_compared_instances(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    fsim_plot_frame(out);
    set_title(out, subjects, count, "instances", "");
    set_time_axis(out, subjects, count);
    fputs("set ylabel 'instances (starting, busy and idle)'\nplot ", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s$series%zu using 1:2 with lines", i > 0 ? ", \\\n " : "", i);
        line_style(out, i);
        fputs(" title ", out);
        fsim_plot_quote(out, text(&subjects[i], "policy"));
    }
    fputc('\n', out);
}

/* ---- latency ---- */

static double total(const fsim_plot_data *d, size_t column) {
    double sum = 0;
    for (size_t r = 0; r < d->rows; r++) {
        sum += d->value[r * d->columns + column];
    }
    return sum;
}

/* Cumulative share of the requests of one column; points closer than a picture can show are left out. */
static void write_cdf(FILE *out, const char *block, size_t i, const fsim_plot_data *d, size_t column) {
    double all = total(d, column), sum = 0, shown_x = 0, shown_y = 0;
    bool begun = false;
    fprintf(out, "$%s%zu << EOD\n", block, i);
    for (size_t r = 0; r < d->rows; r++) {
        const double *row = &d->value[r * d->columns];
        if (row[column] <= 0) {
            continue;
        }
        bool gap = !begun || row[FROM] > shown_x * 1.02;
        if (gap) {
            fprintf(out, "%.6g %.6g\n", row[FROM] > 1e-9 ? row[FROM] : 1e-9, sum / all);
        }
        sum += row[column];
        if (gap || sum / all - shown_y > 2e-4 || sum >= all) {
            fprintf(out, "%.6g %.6g\n", row[TO], sum / all);
            shown_y = sum / all;
        }
        shown_x = row[TO];
        begun = true;
    }
    fputs(begun ? "EOD\n" : "1e-9 0\nEOD\n", out);
}

static void write_latency(FILE *out, const fsim_plot_subject *s, size_t count) {
    (void)count;
    write_cdf(out, "requests", 0, &s->latency, REQUESTS);
    write_cdf(out, "cold", 0, &s->latency, COLD);
    write_cdf(out, "warm", 0, &s->latency, WARM);
}

static void write_compared_latency(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    for (size_t i = 0; i < count; i++) {
        write_cdf(out, "requests", i, &subjects[i].latency, REQUESTS);
    }
}

static void latency_frame(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < count; i++) {
        const fsim_plot_data *d = &subjects[i].latency;
        if (d->rows > 0) {
            low = fmin(low, d->value[FROM]);
            high = fmax(high, d->value[(d->rows - 1) * d->columns + TO]);
        }
    }
    fsim_plot_frame(out);
    fsim_plot_latency_axis(out, isfinite(low) ? low : 1e-3, isfinite(low) ? high : 1);
    fputs("set yrange [0:1.005]\nset format y '%.10g'\nset xlabel 'latency, arrival to completion'\n"
          "set ylabel 'share of requests that took no longer'\n",
          out);
}

static void draw_latency(FILE *out, const fsim_plot_subject *s, size_t count) {
    char below[256];
    double all = total(&s->latency, REQUESTS), cold = total(&s->latency, COLD);
    snprintf(below, sizeof below, "p50 %s, p99 %s, p99.9 %s",
             fsim_figure_span(number(s, "latency_s.p50")).text,
             fsim_figure_span(number(s, "latency_s.p99")).text,
             fsim_figure_span(number(s, "latency_s.p999")).text);
    latency_frame(out, s, count);
    set_title(out, s, count, "latency", below);
    fputs("plot $warm0 using 1:2 with lines linecolor rgb '" FSIM_PLOT_BLUE "' linewidth 2 title 'warm'",
          out);
    if (cold > 0) {
        fprintf(out,
                ", \\\n $cold0 using 1:2 with lines linecolor rgb '" FSIM_PLOT_ORANGE
                "' linewidth 2 title 'cold (%s of the requests)'",
                fsim_figure_share(cold / all).text);
    }
    fputs(", \\\n $requests0 using 1:2 with lines linecolor rgb '" FSIM_PLOT_BLACK
          "' linewidth 1 dashtype 2 title 'all'\n",
          out);
}

static void draw_compared_latency(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    latency_frame(out, subjects, count);
    set_title(out, subjects, count, "latency of all requests", "");
    fputs("plot ", out);
    for (size_t i = 0; i < count; i++) {
        char title[256];
        fprintf(out, "%s$requests%zu using 1:2 with lines", i > 0 ? ", \\\n " : "", i);
        line_style(out, i);
        snprintf(title, sizeof title, "%s (p99 %s)", text(&subjects[i], "policy"),
                 fsim_figure_span(number(&subjects[i], "latency_s.p99")).text);
        fputs(" title ", out);
        fsim_plot_quote(out, title);
    }
    fputc('\n', out);
}

/* ---- refusals ---- */

static void draw_refusals(FILE *out, const fsim_plot_subject *s, size_t count) {
    char below[256];
    double refused = number(s, "requests.rejected_429") + number(s, "requests.rejected_503");
    double timed_out = number(s, "requests.timed_out");
    snprintf(below, sizeof below, "%s of %s refused, %s timed out", fsim_figure_count(refused).text,
             fsim_figure_count(number(s, "requests.arrived")).text, fsim_figure_count(timed_out).text);
    fputs("set multiplot layout 2,1\n", out);
    fsim_plot_frame(out);
    fputs("set lmargin 10\nset rmargin 24\nset key at graph 1.02, 1 left top\n", out);
    set_title(out, s, count, "refusals", below);
    set_time_axis(out, s, count);
    fputs("unset xlabel\nset ylabel 'requests/s'\n"
          "plot $rates0 using 1:2 with lines linecolor rgb '" FSIM_PLOT_GREY
          "' linewidth 2 title 'arriving', \\\n"
          " '' using 1:3 with lines linecolor rgb '" FSIM_PLOT_BLUE "' linewidth 1 title 'completing'\n"
          "unset title\n",
          out);
    set_time_axis(out, s, count);
    if (refused + timed_out == 0) {
        fputs("set yrange [0:1]\nset label 'no request was refused or timed out' at graph 0.5, 0.5 center\n",
              out);
    }
    fputs("plot $rates0 using 1:4 with filledcurves y1=0 linecolor rgb '" FSIM_PLOT_ORANGE
          "' title 'timed out (504)', \\\n"
          " '' using 1:5 with filledcurves y1=0 linecolor rgb '" FSIM_PLOT_RED
          "' title 'refused (429, 503)'\n"
          "unset multiplot\n",
          out);
}

static void draw_compared_refusals(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    fsim_plot_frame(out);
    set_title(out, subjects, count, "requests refused or timed out", "");
    set_time_axis(out, subjects, count);
    fputs("set ylabel 'requests/s'\nplot ", out);
    for (size_t i = 0; i < count; i++) {
        char title[256];
        double lost = number(&subjects[i], "requests.rejected_429") +
                      number(&subjects[i], "requests.rejected_503") +
                      number(&subjects[i], "requests.timed_out");
        fprintf(out, "%s$rates%zu using 1:4 with lines", i > 0 ? ", \\\n " : "", i);
        line_style(out, i);
        snprintf(title, sizeof title, "%s (%s)", text(&subjects[i], "policy"), fsim_figure_count(lost).text);
        fputs(" title ", out);
        fsim_plot_quote(out, title);
    }
    fputc('\n', out);
}

/* ---- bills ---- */

static size_t meters_of(const fsim_plot_subject *subjects, size_t count, const char **names) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        json_t *const one = (json_t *)(uintptr_t)subjects[i].summary;
        const char *some[METERS_MAX + 1];
        size_t n = fsim_bill_meter_names(&one, 1, some, METERS_MAX + 1);
        for (size_t k = 0; k < n && found <= METERS_MAX; k++) {
            size_t at = 0;
            while (at < found && strcmp(names[at], some[k]) != 0) {
                at++;
            }
            names[at] = some[k];
            found += at == found;
        }
    }
    return found;
}

static double in_units(fsim_i128 pico) {
    return (double)pico / (double)FSIM_PICO;
}

/* Bars of so many meters; else of totals: too many do not tell apart, and of none there is nothing to pay. */
static bool stacks(size_t meters) {
    return meters > 0 && meters <= METERS_MAX;
}

/* A block for each subject: book, and the amount of each meter or the total. */
static void write_bills(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    const char *names[METERS_MAX + 2];
    size_t meters = meters_of(subjects, count, names);
    for (size_t i = 0; i < count; i++) {
        size_t bills = fsim_summary_size(subjects[i].summary, "bills");
        fprintf(out, "$bills%zu << EOD\n", i);
        for (size_t b = 0; b < bills; b++) {
            fsim_plot_cell(out, fsim_summary_text(subjects[i].summary, "bills[%zu].book", b));
            for (size_t m = 0; stacks(meters) && m < meters; m++) {
                fprintf(out, " %.9g", in_units(fsim_bill_meter(subjects[i].summary, b, names[m])));
            }
            if (!stacks(meters)) {
                fprintf(out, " %.9g", in_units(fsim_bill_total(subjects[i].summary, b)));
            }
            fputc('\n', out);
        }
        fputs(bills == 0 ? "\"\" 0\nEOD\n" : "EOD\n", out);
    }
}

static const char *common_currency(const fsim_plot_subject *s) {
    size_t bills = fsim_summary_size(s->summary, "bills");
    const char *currency = fsim_summary_text(s->summary, "bills[0].currency");
    for (size_t b = 1; b < bills; b++) {
        if (strcmp(currency, fsim_summary_text(s->summary, "bills[%zu].currency", b)) != 0) {
            return "each book's own currency";
        }
    }
    return currency;
}

/* The total above each bar. */
static void label_bars(FILE *out, const fsim_plot_subject *subjects, size_t count, size_t bills) {
    fsim_i128 largest = 0;
    for (size_t k = 0; k < count * bills; k++) {
        fsim_i128 total = fsim_bill_total(subjects[k / bills].summary, k % bills);
        largest = total > largest ? total : largest;
    }
    int places = fsim_figure_places(largest);
    for (size_t i = 0; i < count; i++) {
        for (size_t b = 0; b < bills; b++) {
            fsim_i128 total = fsim_bill_total(subjects[i].summary, b);
            fprintf(out, "set label '%s' at %zu,%.9g center offset 0,0.6\n",
                    fsim_figure_money(total, places).text, i * (bills + 1) + b, in_units(total));
        }
    }
}

/* Rows of text below the bars for the names of the books: slanted where they would run into each other. */
static unsigned rows_of_names(const fsim_plot_subject *subjects, size_t count, size_t bills) {
    size_t longest = 0;
    for (size_t b = 0; b < bills; b++) {
        size_t len = strlen(fsim_summary_text(subjects->summary, "bills[%zu].book", b));
        longest = len > longest ? len : longest;
    }
    return longest * count * (bills + 1) <= NAMES_ABREAST ? 0u : (unsigned)(longest / 4);
}

/* Bars are books, stacked by meter; a cluster for each policy. */
static void draw_bills(FILE *out, const fsim_plot_subject *subjects, size_t count) {
    const char *names[METERS_MAX + 2];
    size_t meters = meters_of(subjects, count, names), bills = fsim_summary_size(subjects->summary, "bills");
    bool stacked = stacks(meters);
    fsim_plot_frame(out);
    set_title(out, subjects, count, "bills", "");
    fputs("set ylabel ", out);
    fsim_plot_quote(out, common_currency(subjects));
    unsigned rows = rows_of_names(subjects, count, bills);
    fprintf(
        out,
        "\nset style data histograms\nset style histogram rowstacked title offset 0,-1.2\nset boxwidth 0.7\n"
        "set grid noxtics\nset bmargin %u\nset offsets 0, 0, graph 0.08, 0\n",
        5u + rows);
    if (rows != 0) { /* below slanted names gnuplot has no room for a cluster's title */
        fputs("set xtics rotate by -35\n", out);
        for (size_t i = 0; i < count; i++) {
            fputs("set label ", out);
            fsim_plot_quote(out, text(&subjects[i], "policy"));
            fprintf(out, " at %.9g, screen 0.03 center\n",
                    (double)(i * (bills + 1)) + (double)(bills - 1) / 2);
        }
    }
    label_bars(out, subjects, count, bills);
    fprintf(out, "set xrange [-0.7:%zu.7]\nplot ", bills == 0 ? 0 : count * (bills + 1) - 2);
    for (size_t i = 0; i < count; i++) {
        if (count > 1) {
            fprintf(out, "%snewhistogram ", i > 0 ? ", \\\n " : "");
            fsim_plot_quote(out, rows == 0 ? text(&subjects[i], "policy") : "");
            fprintf(out, " at %zu, ", i * (bills + 1));
        }
        for (size_t m = 0; m < (stacked ? meters : 1); m++) {
            fprintf(out, "%s$bills%zu using %zu:xtic(1) linecolor rgb '%s' ", m > 0 ? ", \\\n " : "", i,
                    m + 2, fsim_plot_colour(m));
            fputs(i == 0 ? "title " : "notitle", out);
            if (i == 0) {
                fsim_plot_quote(out, stacked ? names[m] : "total");
            }
        }
    }
    fputc('\n', out);
}

const fsim_picture fsim_pictures[] = {
    {"instances", false, write_series, draw_instances},
    {"latency", false, write_latency, draw_latency},
    {"refusals", false, write_rates, draw_refusals},
    {"bills", false, write_bills, draw_bills},
    {"compare_instances", true, write_series, draw_compared_instances},
    {"compare_latency", true, write_compared_latency, draw_compared_latency},
    {"compare_refusals", true, write_rates, draw_compared_refusals},
    {"compare_bills", true, write_bills, draw_bills},
    {NULL, false, NULL, NULL},
};
