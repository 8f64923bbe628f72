/* Limits on starts against their definitions, counted over all starts so far. */
#include "model/result.h"
#include "model/start_limiter.h"
#include "support/check.h"

#include "base/rng.h"

#define STARTS 4000

static fsim_ns starts[STARTS];
static int start_count;

/* Tokens of the bucket by its definition, from the last start on; in units of 1 / window. */
static fsim_wide bucket_units;
static fsim_ns bucket_at_ns;

static int starts_after(fsim_ns at_ns) {
    int n = 0;
    for (int i = start_count; i-- > 0 && starts[i] > at_ns;) {
        n++;
    }
    return n;
}

static bool allowed(const fsim_start_limit *limit, fsim_ns now_ns) {
    if (limit->kind == FSIM_LIMIT_FIXED) {
        fsim_ns window_ns = now_ns / limit->window_ns * limit->window_ns;
        return starts_after(window_ns - 1) < (window_ns == 0 ? limit->initial : limit->n);
    }
    if (limit->kind == FSIM_LIMIT_SLIDING) {
        return starts_after(now_ns - limit->window_ns) < limit->n;
    }
    fsim_wide full = (fsim_wide)limit->burst * limit->window_ns;
    fsim_wide units = bucket_units + (fsim_wide)(now_ns - bucket_at_ns) * limit->n;
    bucket_units = units < full ? units : full;
    bucket_at_ns = now_ns;
    return bucket_units >= limit->window_ns;
}

static void follow(const fsim_start_limit *limit, uint64_t seed) {
    fsim_start_limiter limiter;
    fsim_rng rng;
    fsim_ns now_ns = 0;
    fsim_rng_seed(&rng, seed, "limiter", FSIM_RNG_ROUTING);
    start_count = 0;
    bucket_units = (fsim_wide)limit->initial * limit->window_ns;
    bucket_at_ns = 0;
    REQUIRE(fsim_start_limiter_init(&limiter, limit));
    for (int step = 0; step < STARTS; step++) {
        bool expected = allowed(limit, now_ns);
        if (!CHECK_EQ_INT(fsim_start_limiter_take(&limiter, now_ns), expected)) {
            break;
        }
        if (expected) {
            bucket_units -= limit->window_ns;
            starts[start_count++] = now_ns;
        } else {
            /* Not a nanosecond before the instant that is promised; at it, one start. */
            fsim_ns next_ns = fsim_start_limiter_next_ns(&limiter, now_ns);
            if (!CHECK(next_ns > now_ns) || !CHECK(!allowed(limit, next_ns - 1)) ||
                !CHECK(allowed(limit, next_ns))) {
                break;
            }
            now_ns = fsim_rng_below(&rng, 2) == 0 ? next_ns : next_ns + fsim_rng_below(&rng, 50);
        }
        now_ns += fsim_rng_below(&rng, 3) == 0 ? 0 : fsim_rng_below(&rng, (uint32_t)limit->window_ns);
    }
    fsim_start_limiter_deinit(&limiter);
}

static void test_limits_keep_their_definition(void) {
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "limits", FSIM_RNG_ROUTING);
    for (uint64_t i = 0; i < 300 && check_state.failures == 0; i++) {
        fsim_start_limit limit = {.kind = (fsim_limit_kind)(FSIM_LIMIT_FIXED + i % 3)};
        limit.n = 1 + fsim_rng_below(&rng, 12);
        limit.window_ns = 1 + fsim_rng_below(&rng, 200);
        limit.burst = limit.kind == FSIM_LIMIT_BUCKET ? 1 + fsim_rng_below(&rng, 12) : limit.n;
        limit.initial =
            limit.kind == FSIM_LIMIT_SLIDING ? limit.n : fsim_rng_below(&rng, 13) % (limit.burst + 1);
        check_context("limit %llu", (unsigned long long)i);
        follow(&limit, i);
    }
}

static void test_no_limit(void) {
    fsim_start_limit none = {.kind = FSIM_LIMIT_NONE};
    fsim_start_limiter limiter;
    REQUIRE(fsim_start_limiter_init(&limiter, &none));
    for (int i = 0; i < 100; i++) {
        CHECK(fsim_start_limiter_take(&limiter, 0));
    }
    fsim_start_limiter_deinit(&limiter);
}

/* 500 a minute, continuously (validity notes, section 4.f): full at 0, one more every 120 ms, exact over a
 * century. */
static void test_bucket_does_not_drift(void) {
    fsim_start_limit limit = {
        .kind = FSIM_LIMIT_BUCKET, .n = 500, .window_ns = FSIM_MINUTE, .burst = 500, .initial = 500};
    fsim_start_limiter limiter;
    REQUIRE(fsim_start_limiter_init(&limiter, &limit));
    for (int i = 0; i < 500; i++) {
        REQUIRE(fsim_start_limiter_take(&limiter, 0));
    }
    for (int i = 1; i <= 100000; i++) {
        REQUIRE(!fsim_start_limiter_take(&limiter, i * 120 * FSIM_MS - 1));
        REQUIRE(fsim_start_limiter_take(&limiter, i * 120 * FSIM_MS));
    }
    fsim_ns late_ns = 100 * 365 * FSIM_DAY;
    for (int i = 0; i < 500; i++) {
        REQUIRE(fsim_start_limiter_take(&limiter, late_ns));
    }
    CHECK(!fsim_start_limiter_take(&limiter, late_ns));
    fsim_start_limiter_deinit(&limiter);
}

int main(void) {
    RUN(test_no_limit);
    RUN(test_limits_keep_their_definition);
    RUN(test_bucket_does_not_drift);
    return check_done();
}
