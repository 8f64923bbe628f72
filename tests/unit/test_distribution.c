/* Distributions: samples against GSL's distribution functions, means, parameters refused. Seeds are fixed, so
 * a check either always passes or never; the bound of the Kolmogorov-Smirnov distance is that of a 0.1 %
 * test. */
#include "base/distribution.h"

#include "io/json_reader.h"
#include "support/check.h"

#include <gsl/gsl_cdf.h>

#define SAMPLES 20000

static fsim_value_pool *pool;

static fsim_status read_dist(const char *json, bool needs_mean, fsim_dist *dist, fsim_error *err) {
    fsim_value *value;
    *err = (fsim_error){0};
    fsim_status status = fsim_json_read_text(pool, json, "d.json", &value, err);
    return status != FSIM_OK ? status : fsim_dist_read(dist, pool, value, "tests", needs_mean, err);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Draws seconds, sorted. */
static void draw(const fsim_dist *dist, double *seconds) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 42, "test", FSIM_RNG_SERVICE);
    for (int i = 0; i < SAMPLES; i++) {
        seconds[i] = fsim_ns_to_s(fsim_dist_sample(dist, &rng));
    }
    qsort(seconds, SAMPLES, sizeof *seconds, compare);
}

static double cdf_uniform(double x) {
    return gsl_cdf_flat_P(x, 2, 5);
}
static double cdf_exponential(double x) {
    return gsl_cdf_exponential_P(x, 1.991);
}
static double cdf_erlang(double x) {
    return gsl_cdf_gamma_P(x, 4, 0.5);
}
static double cdf_gamma(double x) {
    return gsl_cdf_gamma_P(x, 0.4, 5);
}
static double cdf_lognormal(double x) {
    return gsl_cdf_lognormal_P(x, -0.38, 2.36);
}
static double cdf_lognormal_mean(double x) {
    return gsl_cdf_lognormal_P(x, log(2.0) - 0.5 * log(1.25), sqrt(log(1.25)));
}
static double cdf_weibull(double x) {
    return gsl_cdf_weibull_P(x, 100, 0.5);
}
static double cdf_pareto(double x) {
    return x <= 30 ? 0 : gsl_cdf_pareto_P(x, 1.5, 30);
}
static double cdf_hyper(double x) {
    return 0.25 * gsl_cdf_exponential_P(x, 4) + 0.75 * gsl_cdf_exponential_P(x, 0.5);
}
static double cdf_normal(double x) {
    double below = gsl_cdf_gaussian_P(-1, 2);
    return (gsl_cdf_gaussian_P(x - 1, 2) - below) / (1 - below);
}
static double cdf_burr(double x) {
    return 1 - pow(1 + pow(x / 107.083, 11.652), -0.221);
}
static double cdf_shift(double x) {
    return x < 2 ? 0 : gsl_cdf_exponential_P(x - 2, 58);
}

static const struct {
    const char *json;
    double (*cdf)(double seconds);
    double mean_s;
} laws[] = {
    {"{\"dist\":\"uniform\",\"min\":\"2s\",\"max\":\"5s\"}", cdf_uniform, 3.5},
    {"{\"dist\":\"exponential\",\"mean\":\"1.991s\"}", cdf_exponential, 1.991},
    {"{\"dist\":\"erlang\",\"k\":4,\"mean\":\"2s\"}", cdf_erlang, 2},
    {"{\"dist\":\"gamma\",\"k\":0.4,\"mean\":\"2s\"}", cdf_gamma, 2},
    {"{\"dist\":\"lognormal\",\"mu\":-0.38,\"sigma\":2.36}", cdf_lognormal, 11.0742847},
    {"{\"dist\":\"lognormal\",\"mean\":\"2s\",\"cv\":0.5}", cdf_lognormal_mean, 2},
    {"{\"dist\":\"weibull\",\"shape\":0.5,\"scale\":\"100s\"}", cdf_weibull, 200},
    {"{\"dist\":\"pareto\",\"min\":\"30s\",\"alpha\":1.5}", cdf_pareto, 90},
    {"{\"dist\":\"hyperexponential\",\"phases\":[{\"p\":0.25,\"mean\":\"4s\"},{\"p\":0.75,\"mean\":\"500ms\"}"
     "]}",
     cdf_hyper, 1.375},
    {"{\"dist\":\"normal\",\"mean\":\"1s\",\"sd\":\"2s\"}", cdf_normal, 2.0183},
    {"{\"dist\":\"burr12\",\"c\":11.652,\"k\":0.221,\"scale\":\"107.083s\"}", cdf_burr, 172.19},
    {"{\"dist\":\"shift\",\"by\":\"2s\",\"of\":{\"dist\":\"exponential\",\"mean\":\"58s\"}}", cdf_shift, 60},
};

static void test_laws(void) {
    static double seconds[SAMPLES];
    for (size_t k = 0; k < sizeof laws / sizeof laws[0]; k++) {
        fsim_dist dist = {0};
        fsim_error err;
        check_context("%s", laws[k].json);
        REQUIRE(read_dist(laws[k].json, true, &dist, &err) == FSIM_OK);
        draw(&dist, seconds);
        double distance = 0;
        for (int i = 0; i < SAMPLES; i++) {
            double p = laws[k].cdf(seconds[i]);
            distance =
                fmax(distance, fmax(fabs(p - i / (double)SAMPLES), fabs(p - (i + 1) / (double)SAMPLES)));
        }
        CHECK(distance * sqrt(SAMPLES) < 1.95);
        CHECK_NEAR(fsim_dist_mean_ns(&dist) / 1e9 / laws[k].mean_s, 1, 2e-3);
    }
}

static void test_constant_and_empirical(void) {
    fsim_dist dist = {0};
    fsim_error err;
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "x", FSIM_RNG_SERVICE);
    CHECK_EQ_INT(read_dist("\"20ms\"", true, &dist, &err), FSIM_OK);
    CHECK_EQ_INT(fsim_dist_sample(&dist, &rng), 20 * FSIM_MS);
    CHECK_EQ_INT(read_dist("{\"dist\":\"constant\",\"value\":\"0s\"}", true, &dist, &err), FSIM_OK);
    CHECK(fsim_dist_is_zero(&dist));
    CHECK_EQ_INT(read_dist("{\"dist\":\"empirical\",\"values\":[3,\"1s\",0.5,\"250ms\"]}", true, &dist, &err),
                 FSIM_OK);
    CHECK_NEAR(fsim_dist_mean_ns(&dist), 1.1875e9, 1);
    int seen[4] = {0};
    static const fsim_ns values[4] = {250 * FSIM_MS, 500 * FSIM_MS, FSIM_SECOND, 3 * FSIM_SECOND};
    for (int i = 0; i < 4000; i++) {
        fsim_ns drawn = fsim_dist_sample(&dist, &rng);
        for (int j = 0; j < 4; j++) {
            seen[j] += drawn == values[j];
        }
    }
    CHECK_EQ_INT(seen[0] + seen[1] + seen[2] + seen[3], 4000);
    for (int j = 0; j < 4; j++) {
        CHECK_NEAR(seen[j], 1000, 120);
    }
    CHECK_EQ_INT(read_dist("{\"dist\":\"shift\",\"by\":\"-1s\",\"of\":\"250ms\"}", true, &dist, &err),
                 FSIM_OK);
    CHECK_EQ_INT(fsim_dist_sample(&dist, &rng), 0);
}

static void test_counts(void) {
    fsim_value *value;
    fsim_dist dist = {0};
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "x", FSIM_RNG_ARRIVALS);
    REQUIRE(fsim_json_read_text(pool, "5", "d.json", &value, NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_dist_read_count(&dist, pool, value, NULL), FSIM_OK);
    CHECK_EQ_INT((int64_t)fsim_dist_sample_count(&dist, &rng), 5);
    REQUIRE(fsim_json_read_text(pool, "{\"dist\":\"uniform\",\"min\":0.5,\"max\":3.5}", "d.json", &value,
                                NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_dist_read_count(&dist, pool, value, NULL), FSIM_OK);
    int64_t seen[5] = {0};
    for (int i = 0; i < 3000; i++) {
        uint64_t n = fsim_dist_sample_count(&dist, &rng);
        seen[n < 5 ? n : 4]++;
    }
    CHECK_EQ_INT(seen[0] + seen[4], 0);
    CHECK_NEAR((double)seen[1], 1000, 100);
    CHECK_NEAR((double)seen[3], 1000, 100);
}

static void test_refused(void) {
    static const struct {
        const char *json, *place, *text;
    } cases[] = {
        {"{\"dist\":\"exponental\"}", "/dist", "did you mean \"exponential\"?"},
        {"{\"dist\":\"exponential\"}", "", "\"mean\" is missing"},
        {"{\"dist\":\"exponential\",\"mean\":2}", "/mean", "such as \"2s\""},
        {"{\"dist\":\"exponential\",\"mean\":\"-2s\"}", "/mean", "expected a span"},
        {"{\"dist\":\"exponential\",\"mean\":\"2s\",\"men\":1}", "/men", "did you mean \"mean\"?"},
        {"{\"mean\":\"2s\"}", "", "\"dist\" is missing"},
        {"{\"dist\":\"erlang\",\"k\":1.5,\"mean\":\"2s\"}", "/k", "whole number"},
        {"{\"dist\":\"gamma\",\"k\":0,\"mean\":\"2s\"}", "/k", "found the number 0"},
        {"{\"dist\":\"lognormal\",\"mu\":1,\"cv\":1}", "", "not both"},
        {"{\"dist\":\"lognormal\",\"mu\":1}", "", "\"sigma\" is missing"},
        {"{\"dist\":\"lognormal\",\"mean\":\"0s\",\"cv\":1}", "/mean", "above 0"},
        {"{\"dist\":\"lognormal\",\"mu\":0,\"sigma\":-1}", "/sigma", "at least 0"},
        {"{\"dist\":\"pareto\",\"min\":\"1s\",\"alpha\":1}", "", "no finite mean"},
        {"{\"dist\":\"burr12\",\"c\":2,\"k\":0.5,\"scale\":\"1s\"}", "", "no finite mean"},
        {"{\"dist\":\"uniform\",\"min\":\"2s\",\"max\":\"1s\"}", "", "above"},
        {"{\"dist\":\"hyperexponential\",\"phases\":[{\"p\":0.5,\"mean\":\"1s\"}]}", "/phases",
         "add up to 0.5"},
        {"{\"dist\":\"hyperexponential\",\"phases\":[]}", "/phases", "1 to 16"},
        {"{\"dist\":\"hyperexponential\",\"phases\":[{\"p\":1,\"meen\":\"1s\"}]}", "/phases/0",
         "\"mean\" is missing"},
        {"{\"dist\":\"empirical\",\"values\":[]}", "/values", "at least one"},
        {"{\"dist\":\"empirical\",\"values\":[-1]}", "/values/0", "at least 0"},
        {"{\"dist\":\"empirical\"}", "", "either"},
        {"{\"dist\":\"shift\",\"by\":\"1s\"}", "", "\"of\" is missing"},
        {"[]", "", "expected a span"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsim_dist dist = {0};
        fsim_error err;
        char place[64];
        check_context("%s", cases[i].json);
        CHECK_EQ_INT(read_dist(cases[i].json, true, &dist, &err), FSIM_ECONFIG);
        snprintf(place, sizeof place, "d.json#%s", cases[i].place);
        CHECK_EQ_STR(err.place, place);
        if (strstr(err.text, cases[i].text) == NULL) {
            CHECK_EQ_STR(err.text, cases[i].text);
        }
    }
    fsim_dist dist = {0};
    fsim_error err;
    CHECK_EQ_INT(read_dist("{\"dist\":\"pareto\",\"min\":\"1s\",\"alpha\":1}", false, &dist, &err), FSIM_OK);
    CHECK_EQ_INT(read_dist("{\"dist\":\"empirical\",\"file\":\"none.txt\"}", true, &dist, &err), FSIM_EIO);
    CHECK_EQ_STR(err.place, "tests/none.txt");
}

int main(void) {
    pool = fsim_value_pool_create();
    RUN(test_laws);
    RUN(test_constant_and_empirical);
    RUN(test_counts);
    RUN(test_refused);
    fsim_value_pool_destroy(pool);
    return check_done();
}
