/* Populations: the source keeps the laws of its strata, and a fit finds them again. */
#include "trace/population_fit.h"

#include "api/source_api.h"
#include "io/json_reader.h"
#include "support/check.h"

#include <math.h>

#define ROWS_MAX 600000u

static fsim_ns at[ROWS_MAX], duration[ROWS_MAX];
static uint32_t fn[ROWS_MAX];

/* Appends what is left of the workload behind `n` rows. */
static uint32_t read_rows(fsim_workload *w, uint32_t n) {
    static fsim_arrivals batch;
    fsim_error err = {0};
    do {
        REQUIRE(fsim_workload_next(w, &batch, &err) == FSIM_OK);
        for (uint32_t i = 0; i < batch.count && n < ROWS_MAX; i++, n++) {
            at[n] = batch.at_ns[i];
            fn[n] = batch.fn[i];
            duration[n] = batch.service_ns[i];
        }
    } while (batch.count > 0);
    return n;
}

/* Rows in order of time, or those of one function behind another. */
static uint32_t generate_how(const char *json, uint64_t seed, bool by_function) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_fn_spec spec = *fsim_function_table_template(table);
    fsim_value *config;
    fsim_workload *w = NULL;
    fsim_error err = {0};
    uint32_t n = 0;
    spec.has_service = true;
    fsim_function_table_set_template(table, &spec);
    REQUIRE(fsim_json_read_text(pool, json, "w.json", &config, &err) == FSIM_OK);
    const fsim_source_context context = {.seed = seed, .path = "workload", .table = table, .pool = pool};
    fsim_status status = fsim_workload_open(&w, &context, config, &err);
    CHECK_EQ_STR(err.text, "");
    REQUIRE(status == FSIM_OK);
    for (uint32_t k = 0; by_function && fsim_workload_select(w, k); k++) {
        n = read_rows(w, n);
    }
    n = by_function ? n : read_rows(w, n);
    fsim_workload_close(w);
    fsim_function_table_destroy(table);
    fsim_value_pool_destroy(pool);
    return n;
}

static uint32_t generate(const char *json, uint64_t seed) {
    return generate_how(json, seed, false);
}

/* Days that are busy from 6 to 18 h, three kinds of functions, and a timer once a minute that keeps its own
 * time. */
static const char known[] =
    "{\"source\": \"population\", \"functions\": 8, \"rate\": 0.8, \"until\": \"6d\", \"profile\":"
    " [1,1,1,1,1,1,3,3,3,3,3,3,3,3,3,3,3,3,1,1,1,1,1,1], \"strata\": ["
    "{\"requests\": 1, \"cv\": 0, \"daily\": false, \"memory_mb\": 64},"
    "{\"requests\": 4, \"cv\": 0.3, \"duration_s\": [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5]},"
    "{\"requests\": 5, \"cv\": 1, \"memory_mb\": 256, \"duration_s\": [0, 0, 1, 2, 5, 60, 90]},"
    "{\"requests\": 14, \"cv\": 3, \"duration_s\": [1, 1, 1, 1, 1, 1, 1]}]}";

static fsim_fit *fit_rows(uint32_t n) {
    fsim_fit *fit = fsim_fit_create(1);
    fsim_error err = {0};
    REQUIRE(fsim_fit_add(fit, n, at, fn, duration, NULL, &err) == FSIM_OK);
    REQUIRE(fsim_fit_settle(fit, &err) == FSIM_OK);
    fsim_fit_add_gaps(fit, n, at, fn);
    return fit;
}

static void test_strata_are_found_again(void) {
    static fsim_fit_model model;
    static const double requests[] = {1, 1, 4, 4, 5, 5, 14, 14}, cv[] = {0, 0, 0.3, 0.3, 1, 1, 3, 3};
    uint32_t n = generate(known, 1);
    fsim_fit *fit = fit_rows(n);
    CHECK_NEAR(n, 0.8 * 6 * 86400, 0.03 * 0.8 * 6 * 86400);
    REQUIRE(fsim_fit_make_model(fit, &model, NULL) == FSIM_OK);
    CHECK_EQ_INT(model.functions, 8);
    CHECK_EQ_INT(model.strata, 8);
    CHECK_NEAR(model.rate, 0.8, 0.03);
    for (uint32_t h = 0; h < 24; h++) {
        CHECK_NEAR(model.profile[h], h >= 6 && h < 18 ? 1.5 : 0.5, 0.15);
    }
    for (uint32_t k = 0; k < 8; k++) {
        check_context("stratum %u", k);
        CHECK_NEAR(model.stratum[k].requests, requests[k] / 48 * n, 0.1 * requests[k] / 48 * n);
        CHECK_NEAR(model.stratum[k].cv, cv[k], 0.01 + 0.08 * cv[k]);
        CHECK(model.stratum[k].daily == (k >= 2));
    }
    CHECK_NEAR(model.stratum[2].duration_s[3], 0.3, 0.03);
    CHECK_NEAR(model.stratum[5].duration_s[2], 1, 0.3);
    CHECK_NEAR(model.stratum[7].duration_s[5], 1, 1e-9);
    fsim_fit_destroy(fit);
}

/* One function alone has the instants and durations that it has among the others. */
static void test_functions_apart_are_the_same(void) {
    static fsim_ns merged_at[ROWS_MAX], merged_duration[ROWS_MAX];
    static uint32_t merged_fn[ROWS_MAX];
    uint32_t n = generate(known, 3), row = 0;
    REQUIRE(n < ROWS_MAX);
    memcpy(merged_at, at, sizeof at);
    memcpy(merged_duration, duration, sizeof duration);
    memcpy(merged_fn, fn, sizeof fn);
    CHECK_EQ_INT(generate_how(known, 3, true), n);
    for (uint32_t f = 0; f < 8; f++) {
        for (uint32_t i = 0; i < n; i++) {
            if (merged_fn[i] == f) {
                REQUIRE(fn[row] == f && at[row] == merged_at[i]);
                CHECK(f < 2 || duration[row] == merged_duration[i]); /* the first two have no durations */
                row++;
            }
        }
    }
    CHECK_EQ_INT(row, n);
}

/* A number of requests is shared by all functions: they cannot be told apart. */
static void test_a_bound_on_requests_is_shared(void) {
    static const char bound[] =
        "{\"source\": \"population\", \"functions\": 2, \"rate\": 1, \"requests\": 10, "
        "\"strata\": [{\"requests\": 1}]}";
    CHECK_EQ_INT(generate_how(bound, 1, true), 0);
    CHECK_EQ_INT(generate(bound, 1), 10);
}

static int compare_spans(const void *a, const void *b) {
    fsim_ns x = *(const fsim_ns *)a, y = *(const fsim_ns *)b;
    return x < y ? -1 : x > y;
}

/* Kolmogorov's distance of two samples; sorts both. */
static double ks(fsim_ns *a, uint32_t n, fsim_ns *b, uint32_t m) {
    double worst = 0;
    qsort(a, n, sizeof *a, compare_spans);
    qsort(b, m, sizeof *b, compare_spans);
    for (uint32_t i = 0, j = 0; i < n && j < m;) {
        fsim_ns x = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= x) {
            i++;
        }
        while (j < m && b[j] <= x) {
            j++;
        }
        worst = fmax(worst, fabs((double)i / n - (double)j / m));
    }
    return worst;
}

/* Gaps of one function; returns their number. */
static uint32_t gaps_of(uint32_t n, uint32_t function, fsim_ns *out) {
    fsim_ns last_ns = -1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (fn[i] == function) {
            if (last_ns >= 0) {
                out[count++] = at[i] - last_ns;
            }
            last_ns = at[i];
        }
    }
    return count;
}

static void test_what_is_generated_resembles_it(void) {
    static fsim_fit_model model;
    static fsim_ns first[ROWS_MAX], second[ROWS_MAX], lengths[ROWS_MAX];
    char *json = NULL;
    size_t size = 0;
    uint32_t n = generate(known, 1), gaps = gaps_of(n, 4, first);
    memcpy(lengths, duration, n * sizeof *lengths);
    fsim_fit *fit = fit_rows(n);
    REQUIRE(fsim_fit_make_model(fit, &model, NULL) == FSIM_OK);
    FILE *out = open_memstream(&json, &size);
    fprintf(
        out,
        "{\"source\": \"population\", \"functions\": %u, \"rate\": %.9g, \"until\": \"6d\", \"profile\": [",
        model.functions, model.rate);
    for (uint32_t h = 0; h < 24; h++) {
        fprintf(out, "%s%g", h == 0 ? "" : ",", model.profile[h]);
    }
    fputs("], \"strata\": [", out);
    for (uint32_t k = 0; k < model.strata; k++) {
        const fsim_fit_stratum *s = &model.stratum[k];
        fprintf(out, "%s{\"requests\": %g, \"cv\": %g, \"daily\": %s, \"duration_s\": [", k == 0 ? "" : ",",
                s->requests, s->cv, s->daily ? "true" : "false");
        for (uint32_t q = 0; q < FSIM_KNOTS; q++) {
            fprintf(out, "%s%.9g", q == 0 ? "" : ",", s->duration_s[q]);
        }
        fputs("]}", out);
    }
    fputs("]}", out);
    fclose(out);
    uint32_t m = generate(json, 2), again = gaps_of(m, 4, second);
    fsim_fit *made = fit_rows(m);
    double distance;
    CHECK_NEAR((double)m / n, 1, 0.03);
    CHECK(ks(first, gaps, second, again) < 0.03);
    CHECK(ks(lengths, n, duration, m) < 0.03);
    CHECK_EQ_INT(fsim_fit_distance(fit, made, &distance, NULL), FSIM_OK);
    CHECK(distance < 0.02);
    free(json);
    fsim_fit_destroy(fit);
    fsim_fit_destroy(made);
}

/* A population that begins in the middle of its gaps has its rate from the first minute on. */
static void test_stationary_from_the_beginning(void) {
    static const char *const cases[] = {"0", "0.5", "1", "2", "5, \"usual\": 0.4"};
    for (int k = 0; k < 5; k++) {
        char json[256];
        check_context("cv %s", cases[k]);
        snprintf(json, sizeof json,
                 "{\"source\": \"population\", \"functions\": 20000, \"rate\": 20, \"until\": \"500s\","
                 " \"strata\": [{\"cv\": %s, \"duration_s\": [1,1,1,1,1,1,1]}]}",
                 cases[k]);
        CHECK_NEAR(generate(json, 3), 10000, 500);
    }
}

/* A function that is called at random but for one day in three keeps its pace and has long pauses; gamma gaps
 * of that variation would be bursts. Beside it one whose gaps are gamma variates, which stays what it is. */
static void test_a_day_without_requests_is_a_pause(void) {
    static const char steady[] = "{\"source\": \"population\", \"functions\": 2, \"rate\": 1, \"until\": "
                                 "\"3d\", \"strata\": [{\"requests\": 3}, {\"requests\": 1, \"cv\": 4}]}";
    static fsim_fit_model model;
    static fsim_fit_summary made;
    fsim_error err = {0};
    char json[256];
    uint32_t n = generate(steady, 5), kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (fn[i] == 1 || at[i] < FSIM_DAY || at[i] >= 2 * FSIM_DAY) {
            at[kept] = at[i];
            fn[kept++] = fn[i];
        }
    }
    memset(duration, 0, sizeof duration);
    fsim_fit *fit = fit_rows(kept);
    REQUIRE(fsim_fit_make_model(fit, &model, &err) == FSIM_OK);
    fsim_fit_destroy(fit);
    CHECK_NEAR(model.stratum[0].usual, 0, 0);
    CHECK_NEAR(model.stratum[1].usual, 2.0 / 3, 0.03);
    CHECK(model.stratum[1].cv > 50);
    snprintf(json, sizeof json,
             "{\"source\": \"population\", \"functions\": 1, \"rate\": 0.5, \"until\": \"3d\", \"strata\": "
             "[{\"cv\": %.6g, \"usual\": %.6g}]}",
             model.stratum[1].cv, model.stratum[1].usual);
    n = generate(json, 2);
    memset(duration, 0, sizeof duration);
    fit = fit_rows(n);
    REQUIRE(fsim_fit_summarise(fit, &made, &err) == FSIM_OK);
    fsim_fit_destroy(fit);
    CHECK(made.peak_per_min < 90); /* 45 on average outside of pauses; gamma: thousands */
    CHECK(made.iat_cv[1] > 5);
}

/* Pauses change neither the mean nor the variation of the gaps. */
static void test_pauses_keep_mean_and_variation(void) {
    static const double cv[] = {1.5, 4, 60}, usual[] = {0.05, 0.5, 0.9};
    for (int i = 0; i < 9; i++) {
        fsim_pauses p = fsim_pauses_of(cv[i / 3], usual[i % 3]);
        double of = usual[i % 3], square = 1 + cv[i / 3] * cv[i / 3];
        check_context("cv %g, usual %g", cv[i / 3], of);
        CHECK(p.share > 0 && p.share < 1);
        CHECK_NEAR((1 - p.share) * of + p.share * p.mean, 1, 1e-12);
        CHECK_NEAR(2 * (1 - p.share) * of * of + 2 * p.share * p.mean * p.mean, square, 1e-9 * square);
    }
}

static void test_nothing_to_fit(void) {
    fsim_error err = {0};
    fsim_fit *fit = fsim_fit_create(1);
    CHECK_EQ_INT(fsim_fit_settle(fit, &err), FSIM_EDATA);
    CHECK_EQ_STR(err.text, "the trace has no requests, so there is nothing to fit");
    fsim_fit_destroy(fit);
}

int main(void) {
    RUN(test_strata_are_found_again);
    RUN(test_what_is_generated_resembles_it);
    RUN(test_stationary_from_the_beginning);
    RUN(test_functions_apart_are_the_same);
    RUN(test_a_bound_on_requests_is_shared);
    RUN(test_a_day_without_requests_is_a_pause);
    RUN(test_pauses_keep_mean_and_variation);
    RUN(test_nothing_to_fit);
    return check_done();
}
