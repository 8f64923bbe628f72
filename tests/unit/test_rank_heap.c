/* The heap against the rule that it replaces: look at all items, take the lowest rank, among equals the one
 * whose name comes first. */
#include "model/rank_heap.h"

#include "base/rng.h"

#include "support/check.h"

#include <string.h>

#define ITEMS 40u
#define STEPS 40000u

static char names[ITEMS][8];
static struct {
    bool in;
    double rank;
} seen[ITEMS];

static bool by_name(const void *user, uint32_t a, uint32_t b) {
    (void)user;
    return strcmp(names[a], names[b]) < 0;
}

static uint32_t linear(void) {
    uint32_t best = FSIM_RANK_NONE;
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (seen[i].in && (best == FSIM_RANK_NONE || seen[i].rank < seen[best].rank ||
                           (seen[i].rank == seen[best].rank && strcmp(names[i], names[best]) < 0))) {
            best = i;
        }
    }
    return best;
}

/* Few different ranks, so that most comparisons are ties; items come in while it runs. */
static void test_agrees_with_looking_at_all(void) {
    fsim_rank_heap heap = {.before = by_name};
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "rank heap", FSIM_RNG_ROUTING);
    uint32_t known = 0, empty = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        snprintf(names[i], sizeof names[i], "f%u", (i * 7u) % ITEMS);
    }
    CHECK(fsim_rank_heap_first(&heap) == FSIM_RANK_NONE);
    for (uint32_t step = 0; step < STEPS; step++) {
        if (known < ITEMS && step % 50u == 0) {
            REQUIRE(fsim_rank_heap_reserve(&heap, ++known));
        }
        uint32_t item = fsim_rng_below(&rng, known);
        if (fsim_rng_below(&rng, 100) < 52) {
            fsim_rank_heap_drop(&heap, item);
            seen[item].in = false;
        } else {
            seen[item].in = true;
            seen[item].rank = (double)fsim_rng_below(&rng, step % 3u == 0 ? 1000u : 4u);
            fsim_rank_heap_set(&heap, item, seen[item].rank);
        }
        uint32_t first = fsim_rank_heap_first(&heap);
        empty += first == FSIM_RANK_NONE;
        if (first != linear()) {
            CHECK_EQ_INT(first, linear());
            break;
        }
    }
    CHECK(empty > 10);
    while (heap.count != 0) { /* in order to the end */
        uint32_t first = fsim_rank_heap_first(&heap);
        CHECK_EQ_INT(first, linear());
        seen[first].in = false;
        fsim_rank_heap_drop(&heap, first);
    }
    fsim_rank_heap_deinit(&heap);
}

int main(void) {
    RUN(test_agrees_with_looking_at_all);
    return check_done();
}
