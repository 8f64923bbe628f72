/* Buckets as arrivals: counts and bounds of every placement, and the same arrivals of a function alone and
 * among others. */
#include "support/check.h"
#include "trace/bucket_builder.h"
#include "trace/bucket_stream.h"

#define FUNCTIONS 5u
#define BUCKETS   40u
#define MOST      200000u

static struct {
    fsim_bucket_builder *builder;
    uint64_t counts[FUNCTIONS][BUCKETS];
    uint64_t *first;
    uint8_t *cells;
    fsim_trace_function functions[FUNCTIONS];
    fsim_bucketed trace;
} made;

static const fsim_bucket_cut whole = {0, UINT64_MAX, 1, 1000000000};

/* Five functions from one request a bucket to thousands, one that never calls. */
static void make(void) {
    static const uint32_t sizes[FUNCTIONS] = {3, 4000, 0, 50, 1};
    static const char *const names[FUNCTIONS] = {"a", "b", "c", "d", "e"};
    static const uint32_t all[FUNCTIONS] = {0, 1, 2, 3, 4};
    fsim_rng rng;
    fsim_rng_seed(&rng, 7, "test", FSIM_RNG_ARRIVALS);
    memset(&made, 0, sizeof made);
    made.builder = fsim_bucket_builder_create();
    for (uint32_t f = 0; f < FUNCTIONS; f++) {
        for (uint32_t b = 0; b < BUCKETS; b++) {
            made.counts[f][b] =
                sizes[f] == 0 || fsim_rng_below(&rng, 3) == 0 ? 0 : fsim_rng_below(&rng, sizes[f] + 1u);
            made.trace.invocations += made.counts[f][b];
            REQUIRE(fsim_bucket_builder_add(made.builder, f, b, made.counts[f][b], NULL) == FSIM_OK);
        }
        made.functions[f] =
            (fsim_trace_function){.name = names[f], .durations = {.kind = FSIM_DURATION_KNOTS}};
        for (int k = 0; k < FSIM_KNOTS; k++) {
            made.functions[f].durations.knot_ns[k] = FSIM_MS * (1 + k * k);
        }
    }
    REQUIRE(fsim_bucket_builder_finish(made.builder, &whole, all, FUNCTIONS, &made.first, &made.cells,
                                       NULL) == FSIM_OK);
    made.trace.bucket_ns = FSIM_MINUTE;
    made.trace.bucket_count = BUCKETS;
    made.trace.function_count = FUNCTIONS;
    made.trace.functions = made.functions;
    made.trace.first = made.first;
    made.trace.cells = made.cells;
}

static void drop(void) {
    fsim_bucket_builder_destroy(made.builder);
    free(made.first);
    free(made.cells);
}

typedef struct arrivals {
    uint32_t count;
    fsim_ns at_ns[MOST], service_ns[MOST];
    fsim_fn_id fn[MOST];
} arrivals;

static void read_all(fsim_bucket_stream *s, arrivals *out) {
    static fsim_arrivals batch;
    out->count = 0;
    do {
        REQUIRE(fsim_bucket_stream_next(s, &batch, NULL) == FSIM_OK);
        for (uint32_t i = 0; i < batch.count; i++) {
            REQUIRE(out->count < MOST);
            out->at_ns[out->count] = batch.at_ns[i];
            out->service_ns[out->count] = batch.service_ns[i];
            out->fn[out->count++] = batch.fn[i];
        }
    } while (batch.count > 0);
}

static arrivals merged, single;

static void check_counts(fsim_placement placement) {
    static uint64_t seen[FUNCTIONS][BUCKETS];
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < merged.count; i++) {
        seen[merged.fn[i]][merged.at_ns[i] / FSIM_MINUTE]++;
        if (i > 0 && (merged.at_ns[i] < merged.at_ns[i - 1] ||
                      (merged.at_ns[i] == merged.at_ns[i - 1] && merged.fn[i] < merged.fn[i - 1]))) {
            check_fail(__FILE__, __LINE__, "arrival %u is out of order", i);
            return;
        }
        CHECK(merged.service_ns[i] >= FSIM_MS && merged.service_ns[i] <= 37 * FSIM_MS);
    }
    for (uint32_t f = 0; f < FUNCTIONS && placement != FSIM_PLACE_POISSON; f++) {
        for (uint32_t b = 0; b < BUCKETS; b++) {
            CHECK_EQ_INT(seen[f][b], made.counts[f][b]);
        }
    }
}

/* The arrivals of f in the merged stream are those of f alone. */
static void check_alone(fsim_bucket_stream *s, uint32_t f) {
    uint32_t at = 0;
    REQUIRE(fsim_bucket_stream_select(s, &f, 1, NULL) == FSIM_OK);
    read_all(s, &single);
    for (uint32_t i = 0; i < merged.count; i++) {
        if (merged.fn[i] != f) {
            continue;
        }
        if (at >= single.count || single.at_ns[at] != merged.at_ns[i] ||
            single.service_ns[at] != merged.service_ns[i] || single.fn[at] != f) {
            check_fail(__FILE__, __LINE__, "function %u differs at its arrival %u", f, at);
            return;
        }
        at++;
    }
    CHECK_EQ_INT(at, single.count);
}

static void test_every_placement(void) {
    make();
    for (int p = 0; fsim_placement_names[p] != NULL; p++) {
        check_context("%s", fsim_placement_names[p]);
        fsim_bucket_stream *s = NULL;
        REQUIRE(fsim_bucket_stream_open(&s, &made.trace, (fsim_placement)p, 1, NULL, NULL) == FSIM_OK);
        read_all(s, &merged);
        if (p == FSIM_PLACE_POISSON) {
            double sd = sqrt((double)made.trace.invocations);
            CHECK_NEAR(merged.count, made.trace.invocations, 5 * sd);
        } else {
            CHECK_EQ_INT(merged.count, made.trace.invocations);
        }
        check_counts((fsim_placement)p);
        for (uint32_t f = 0; f < FUNCTIONS; f++) {
            check_alone(s, f);
        }
        CHECK_NEAR(fsim_bucket_stream_progress(s), 1.0, 0.1);
        fsim_bucket_stream_close(s);
    }
    drop();
}

/* The instants of the placements that draw nothing, and where the others must lie. */
static void test_instants(void) {
    fsim_place_cursor c;
    fsim_rng rng;
    fsim_ns at_ns[8];
    fsim_rng_seed(&rng, 1, "f", FSIM_RNG_PLACEMENT);
    fsim_place_begin(&c, FSIM_PLACE_EVEN, 100, 10, 3, 3, &rng, NULL, 0);
    CHECK_EQ_INT(fsim_place_fill(&c, &rng, FSIM_NEVER, at_ns, 8), 3);
    CHECK_EQ_INT(at_ns[0], 100);
    CHECK_EQ_INT(at_ns[1], 103);
    CHECK_EQ_INT(at_ns[2], 106);
    fsim_place_begin(&c, FSIM_PLACE_START, 100, 10, 2, 2, &rng, NULL, 0);
    CHECK_EQ_INT(fsim_place_fill(&c, &rng, 100, at_ns, 8), 0);
    CHECK_EQ_INT(fsim_place_fill(&c, &rng, 101, at_ns, 8), 2);
    CHECK_EQ_INT(at_ns[1], 100);
    fsim_place_begin(&c, FSIM_PLACE_STRATIFIED, 0, 4000, 4, 4, &rng, NULL, 0);
    CHECK_EQ_INT(fsim_place_fill(&c, &rng, FSIM_NEVER, at_ns, 8), 4);
    for (int k = 0; k < 4; k++) {
        CHECK(at_ns[k] >= k * 1000 && at_ns[k] < (k + 1) * 1000);
    }
    fsim_place_begin(&c, FSIM_PLACE_EXPONENTIAL, 500, 4000, 3, 3, &rng, NULL, 0);
    CHECK_EQ_INT(fsim_place_fill(&c, &rng, FSIM_NEVER, at_ns, 8), 3);
    CHECK_EQ_INT(at_ns[0], 500);
    CHECK(at_ns[2] < 4500);
    /* A bucket at the end of the clock: never, but never backwards. */
    fsim_place_begin(&c, FSIM_PLACE_UNIFORM, FSIM_NEVER - 10, 1000, 3, 3, &rng, NULL, 0);
    CHECK(c.next_ns >= FSIM_NEVER - 10);
}

/* Room for the gaps makes no difference. */
static void test_room_for_gaps(void) {
    static const fsim_placement kinds[] = {FSIM_PLACE_UNIFORM, FSIM_PLACE_EXPONENTIAL};
    for (int k = 0; k < 2; k++) {
        fsim_place_cursor a, b;
        fsim_rng with, without;
        double room[51];
        fsim_ns at_a[50], at_b[50];
        fsim_rng_seed(&with, 5, "f", FSIM_RNG_PLACEMENT);
        fsim_rng_seed(&without, 5, "f", FSIM_RNG_PLACEMENT);
        for (uint64_t count = 1; count <= 50; count += 7) {
            fsim_place_begin(&a, kinds[k], 10, FSIM_SECOND, count, 0, &with, room, 51);
            fsim_place_begin(&b, kinds[k], 10, FSIM_SECOND, count, 0, &without, NULL, 0);
            CHECK_EQ_INT(fsim_place_fill(&a, &with, FSIM_NEVER, at_a, 50), count);
            CHECK_EQ_INT(fsim_place_fill(&b, &without, FSIM_NEVER, at_b, 50), count);
            CHECK(memcmp(at_a, at_b, count * sizeof at_a[0]) == 0);
        }
    }
}

/* Uniform placement: the mean instant of a bucket, and its variance. */
static void test_uniform_is_uniform(void) {
    fsim_place_cursor c;
    fsim_rng rng;
    double sum = 0, squares = 0;
    fsim_rng_seed(&rng, 3, "f", FSIM_RNG_PLACEMENT);
    for (int round = 0; round < 2000; round++) {
        fsim_ns at_ns[50];
        fsim_place_begin(&c, FSIM_PLACE_UNIFORM, 0, FSIM_SECOND, 50, 50, &rng, NULL, 0);
        REQUIRE(fsim_place_fill(&c, &rng, FSIM_NEVER, at_ns, 50) == 50);
        for (int i = 0; i < 50; i++) {
            sum += fsim_ns_to_s(at_ns[i]);
            squares += fsim_ns_to_s(at_ns[i]) * fsim_ns_to_s(at_ns[i]);
        }
    }
    double mean = sum / 1e5;
    CHECK_NEAR(mean, 0.5, 0.004);
    CHECK_NEAR(squares / 1e5 - mean * mean, 1.0 / 12, 0.002);
}

/* Median and quartiles of the law through the knots. */
static void test_durations(void) {
    fsim_trace_durations d = {.kind = FSIM_DURATION_KNOTS, .floor_ns = 2 * FSIM_MS};
    static const fsim_ns knots[FSIM_KNOTS] = {0, 10, 100, 200, 400, 1000, 2000};
    static fsim_ns drawn[100000];
    uint32_t below[3] = {0};
    fsim_rng rng;
    memcpy(d.knot_ns, knots, sizeof knots);
    for (int k = 0; k < FSIM_KNOTS; k++) {
        d.knot_ns[k] *= FSIM_MS;
    }
    fsim_rng_seed(&rng, 1, "f", FSIM_RNG_SERVICE);
    fsim_trace_durations_fill(&d, &rng, drawn, 100000);
    for (uint32_t i = 0; i < 100000; i++) {
        CHECK(drawn[i] >= d.floor_ns && drawn[i] <= 2000 * FSIM_MS);
        below[0] += drawn[i] < 100 * FSIM_MS;
        below[1] += drawn[i] < 150 * FSIM_MS; /* half way between two knots */
        below[2] += drawn[i] < 1000 * FSIM_MS;
    }
    CHECK_NEAR(below[0] / 1e5, 0.25, 0.006);
    CHECK_NEAR(below[1] / 1e5, 0.375, 0.006);
    CHECK_NEAR(below[2] / 1e5, 0.99, 0.002);
    /* FITTED: half of the last line's mean where the tail is t^3, and the percentile 95 as it is told. */
    static const fsim_ns curve[FSIM_KNOTS + 1] = {0, 10, 100, 200, 400, 500, 1000, 2000};
    d.kind = FSIM_DURATION_FITTED;
    d.tail = 3.0;
    for (int k = 0; k <= FSIM_KNOTS; k++) {
        d.curve_ns[k] = curve[k] * FSIM_MS;
    }
    double above = 0, count_above = 0, below_450 = 0, below_750 = 0;
    fsim_trace_durations_fill(&d, &rng, drawn, 100000);
    for (uint32_t i = 0; i < 100000; i++) {
        below_450 += drawn[i] < 450 * FSIM_MS;
        below_750 += drawn[i] < 750 * FSIM_MS;
        above += drawn[i] >= 1000 * FSIM_MS ? fsim_ns_to_s(drawn[i]) - 1.0 : 0;
        count_above += drawn[i] >= 1000 * FSIM_MS;
    }
    CHECK_NEAR(above / count_above, 0.25, 0.04);
    CHECK_NEAR(below_450 / 1e5, 0.85, 0.005);
    CHECK_NEAR(below_750 / 1e5, 0.97, 0.003);
    d.kind = FSIM_DURATION_STEPS;
    fsim_trace_durations_fill(&d, &rng, drawn, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        fsim_ns ms = drawn[i] / FSIM_MS;
        CHECK(ms == 10 || ms == 100 || ms == 200 || ms == 400 || ms == 1000 || ms == 2000);
    }
    d.kind = FSIM_DURATION_OPEN;
    fsim_trace_durations_fill(&d, &rng, drawn, 1);
    CHECK_EQ_INT(drawn[0], FSIM_DRAW);
}

/* Rows in any order, twice the same function and day, more parts than are read at once. */
static void test_builder_in_any_order(void) {
    fsim_bucket_builder *b = fsim_bucket_builder_create();
    static const uint32_t only[1] = {0};
    uint64_t *first = NULL;
    uint8_t *cells = NULL;
    for (int row = 0; row < 20; row++) {
        for (uint64_t bucket = 30 - (uint64_t)row; bucket < 40; bucket += 3) {
            REQUIRE(fsim_bucket_builder_add(b, 0, bucket, 2, NULL) == FSIM_OK);
        }
    }
    CHECK_EQ_INT(fsim_bucket_builder_end(b, 0), 40);
    const fsim_bucket_cut cut = {12, 39, 1, 500000000};
    uint64_t total = fsim_bucket_builder_total(b, 0, &cut), sum = 0;
    REQUIRE(fsim_bucket_builder_finish(b, &cut, only, 1, &first, &cells, NULL) == FSIM_OK);
    const fsim_bucketed t = {.first = first, .cells = cells, .function_count = 1};
    fsim_cell_cursor c = fsim_cells_of(&t, 0);
    uint64_t expected[27] = {0};
    for (int row = 0; row < 20; row++) {
        for (int bucket = 30 - row; bucket < 40; bucket += 3) {
            if (bucket >= 12 && bucket < 39) {
                expected[bucket - 12]++;
            }
        }
    }
    while (fsim_cells_next(&c)) {
        REQUIRE(c.bucket < 27);
        CHECK_EQ_INT(c.count, expected[c.bucket]);
        sum += c.count;
    }
    CHECK_EQ_INT(sum, total);
    CHECK(total > 0);
    free(first);
    free(cells);
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_bucket_builder_add(b, 0, 1, UINT64_MAX / 2, &err), FSIM_ELIMIT);
    CHECK_CONTAINS(err.text, "2^62");
    fsim_bucket_builder_destroy(b);
}

/* Near and far, few and many: what was added comes out, and of one function after the other. */
static void test_cells_of_any_size(void) {
    static const uint64_t cells[][2] = {{0, 1},
                                        {1, 1},
                                        {2, UINT64_C(1) << 60},
                                        {3, (UINT64_C(1) << 60) - 1},
                                        {5, 31},
                                        {70, 32},
                                        {71, 1},
                                        {1000, 1},
                                        {1001, 5000},
                                        {UINT64_C(1) << 60, 2},
                                        {(UINT64_C(1) << 61) + 5, 1},
                                        {(UINT64_C(1) << 62) - 1, 1},
                                        {UINT64_C(1) << 62, 9}};
    enum { CELLS = sizeof cells / sizeof *cells, COPIES = 3000 };
    static uint32_t all[COPIES];
    fsim_bucket_builder *b = fsim_bucket_builder_create();
    for (size_t k = 0; k < CELLS; k++) {
        for (uint32_t f = 0; f < COPIES; f++) {
            all[f] = COPIES - 1u - f;
            REQUIRE(fsim_bucket_builder_add(b, f, cells[k][0], cells[k][1] + (k == 4 ? f : 0u), NULL) ==
                    FSIM_OK);
        }
    }
    uint64_t *first = NULL;
    uint8_t *bytes = NULL;
    REQUIRE(fsim_bucket_builder_finish(b, &whole, all, COPIES, &first, &bytes, NULL) == FSIM_OK);
    const fsim_bucketed t = {.function_count = COPIES, .first = first, .cells = bytes};
    bool same = true;
    for (uint32_t i = 0; i < COPIES; i++) {
        fsim_cell_cursor c = fsim_cells_of(&t, i);
        for (size_t k = 0; k < CELLS; k++) {
            same = fsim_cells_next(&c) && c.bucket == cells[k][0] &&
                   c.count == cells[k][1] + (k == 4 ? all[i] : 0u) && same;
        }
        same = !fsim_cells_next(&c) && same;
    }
    CHECK(same);
    free(first);
    free(bytes);
    fsim_bucket_builder_destroy(b);
}

/* Bytes that no builder makes: never outside, never back in time. */
static void test_damaged_cells(void) {
    static const uint8_t cells[] = {5 << 2 | 1, 0, 7, 0xff, 0xff, 0xff};
    static const uint64_t first[] = {0, sizeof cells, sizeof cells};
    static const fsim_trace_function functions[2] = {{.name = "f"}, {.name = "g"}};
    const fsim_bucketed t = {.bucket_ns = 1000,
                             .bucket_count = 3,
                             .function_count = 2,
                             .functions = functions,
                             .first = first,
                             .cells = cells};
    for (int p = 0; fsim_placement_names[p] != NULL; p++) {
        fsim_bucket_stream *s = NULL;
        REQUIRE(fsim_bucket_stream_open(&s, &t, (fsim_placement)p, 1, NULL, NULL) == FSIM_OK);
        read_all(s, &merged);
        CHECK(merged.count == 5 || p == FSIM_PLACE_POISSON);
        fsim_bucket_stream_close(s);
    }
}

int main(void) {
    RUN(test_every_placement);
    RUN(test_instants);
    RUN(test_room_for_gaps);
    RUN(test_uniform_is_uniform);
    RUN(test_durations);
    RUN(test_builder_in_any_order);
    RUN(test_cells_of_any_size);
    RUN(test_damaged_cells);
    return check_done();
}
