/* The event queue against the plainest one there is: an array, searched for the least (instant, order of
 * pushing). */
#include "base/rng.h"
#include "core/event_queue.h"
#include "support/check.h"

#define ROOM 4096u

typedef struct plain_queue {
    fsim_event event[ROOM];
    uint32_t serial[ROOM];
    uint32_t count, pushed;
} plain_queue;

static void plain_push(plain_queue *p, fsim_event event) {
    p->event[p->count] = event;
    p->serial[p->count++] = p->pushed++;
}

static fsim_event plain_pop(plain_queue *p) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < p->count; i++) {
        if (p->event[i].at_ns < p->event[best].at_ns ||
            (p->event[i].at_ns == p->event[best].at_ns && p->serial[i] < p->serial[best])) {
            best = i;
        }
    }
    fsim_event event = p->event[best];
    p->count--;
    p->event[best] = p->event[p->count];
    p->serial[best] = p->serial[p->count];
    return event;
}

static fsim_ns plain_next_ns(const plain_queue *p) {
    fsim_ns next_ns = FSIM_NEVER;
    for (uint32_t i = 0; i < p->count; i++) {
        next_ns = p->event[i].at_ns < next_ns ? p->event[i].at_ns : next_ns;
    }
    return next_ns;
}

static void push_both(fsim_event_queue *q, plain_queue *p, fsim_ns now_ns, fsim_ns at_ns) {
    fsim_event event = {.at_ns = at_ns, .target = p->pushed, .kind = p->pushed % 7u};
    if (fsim_event_queue_is_full(q)) {
        REQUIRE(fsim_event_queue_reserve(q, fsim_event_queue_size(q) + 1u));
    }
    fsim_event_queue_push(q, now_ns, event);
    plain_push(p, event);
}

static bool pop_both(fsim_event_queue *q, plain_queue *p, fsim_ns *now_ns) {
    fsim_event want = plain_pop(p), got = fsim_event_queue_pop(q);
    *now_ns = want.at_ns;
    return CHECK_EQ_INT(got.at_ns, want.at_ns) && CHECK_EQ_INT(got.target, want.target) &&
           CHECK_EQ_INT(got.kind, want.kind);
}

/* How far ahead an event is pushed: the shapes that the layout of the wheel must follow. */
typedef enum pattern { GRID, NEAR, WIDE, MIXED, FAR_ONLY, STARTS, DRIFTING, SHAPES } pattern;

static fsim_ns draw_ahead(fsim_rng *rng, pattern shape, uint32_t step) {
    double unit = fsim_rng_exponential(rng);
    switch (shape) {
    case GRID: return (fsim_ns)fsim_rng_below(rng, 4) * FSIM_MS; /* many equal instants */
    case NEAR: return (fsim_ns)(unit * 1e3);
    case WIDE: return (fsim_ns)(unit * 1e12);
    case MIXED: return fsim_rng_below(rng, 5) == 0 ? 600 * FSIM_SECOND : (fsim_ns)(unit * 2e7);
    case FAR_ONLY: return FSIM_DAY + (fsim_ns)(unit * 1e9);
    case STARTS: /* beyond the first wheel, within a larger one; equal instants */
        return (250 + (fsim_ns)fsim_rng_below(rng, 40)) * FSIM_MS + (fsim_ns)fsim_rng_below(rng, 2);
    case DRIFTING: {
        uint32_t stretch = step / 4000u;
        return (fsim_ns)(unit * pow(10.0, 2.0 + stretch)); /* gaps grow tenfold, often */
    }
    default: return 0;
    }
}

/* Pushes and pops at random around `level` pending events; the clock also moves by itself, as arrivals move
 * it. */
static void walk(pattern shape, uint32_t level, uint32_t steps, uint64_t seed) {
    static plain_queue p;
    p.count = 0;
    p.pushed = 0;
    fsim_event_queue q;
    fsim_rng rng;
    fsim_ns now_ns = 0;
    fsim_rng_seed(&rng, seed, "walk", FSIM_RNG_ROUTING);
    REQUIRE(fsim_event_queue_init(&q, 0));
    for (uint32_t step = 0; step < steps; step++) {
        bool push = p.count == 0 || (p.count < ROOM && fsim_rng_below(&rng, 2 * level) >= p.count);
        if (push) {
            push_both(&q, &p, now_ns, now_ns + draw_ahead(&rng, shape, step));
        } else if (!pop_both(&q, &p, &now_ns)) {
            break;
        }
        if (!CHECK_EQ_INT(fsim_event_queue_size(&q), p.count) ||
            !CHECK_EQ_INT(fsim_event_queue_next_ns(&q), plain_next_ns(&p))) {
            break;
        }
        if (p.count > 0 && fsim_rng_below(&rng, 4) == 0) {
            now_ns += (plain_next_ns(&p) - now_ns) / (fsim_ns)(1u + fsim_rng_below(&rng, 3));
        }
    }
    while (p.count > 0 && pop_both(&q, &p, &now_ns)) {
    }
    CHECK_EQ_INT(fsim_event_queue_next_ns(&q), FSIM_NEVER);
    fsim_event_queue_deinit(&q);
}

static void test_agrees_with_a_plain_queue(void) {
    static const uint32_t levels[] = {1, 3, 40, 700};
    for (pattern shape = GRID; shape < SHAPES; shape++) {
        for (uint32_t i = 0; i < 4; i++) {
            check_context("shape %d, %u pending", (int)shape, levels[i]);
            walk(shape, levels[i], 40000u / (1u + levels[i] / 100u), 17u * shape + i);
        }
    }
}

static void test_empty(void) {
    fsim_event_queue q;
    REQUIRE(fsim_event_queue_init(&q, 10));
    CHECK_EQ_INT(fsim_event_queue_size(&q), 0);
    CHECK_EQ_INT(fsim_event_queue_next_ns(&q), FSIM_NEVER);
    fsim_event_queue_push(&q, 5, (fsim_event){.at_ns = 5, .target = 1, .kind = 2});
    CHECK_EQ_INT(fsim_event_queue_next_ns(&q), 5);
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 1);
    CHECK_EQ_INT(fsim_event_queue_next_ns(&q), FSIM_NEVER);
    fsim_event_queue_deinit(&q);
}

/* 100 000 events of one instant leave in the order of pushing; with cost linear in their number the test
 * takes milliseconds. */
static void test_equal_instants_are_first_in_first_out(void) {
    enum { COUNT = 100000 };
    fsim_event_queue q;
    REQUIRE(fsim_event_queue_init(&q, COUNT));
    for (uint32_t i = 0; i < COUNT; i++) {
        fsim_event_queue_push(&q, 0, (fsim_event){.at_ns = FSIM_HOUR, .target = i});
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        if (!CHECK_EQ_INT(fsim_event_queue_pop(&q).target, i)) {
            break;
        }
    }
    fsim_event_queue_deinit(&q);
}

/* Far events (in the heap) and near ones (in the wheel) of one instant: those pushed first leave first. */
static void test_order_across_the_horizon(void) {
    fsim_event_queue q;
    REQUIRE(fsim_event_queue_init(&q, 0));
    fsim_ns meet_ns = 3 * FSIM_HOUR;
    fsim_event_queue_push(&q, 0, (fsim_event){.at_ns = meet_ns, .target = 1});
    fsim_event_queue_push(&q, 0, (fsim_event){.at_ns = meet_ns - 1, .target = 0});
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 0);
    fsim_event_queue_push(&q, meet_ns - 1, (fsim_event){.at_ns = meet_ns, .target = 2});
    fsim_event_queue_push(&q, meet_ns - 1, (fsim_event){.at_ns = meet_ns - 1, .target = 3});
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 3);
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 1);
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 2);
    fsim_event_queue_deinit(&q);
}

static void test_latest_instant(void) {
    fsim_event_queue q;
    REQUIRE(fsim_event_queue_init(&q, 0));
    fsim_event_queue_push(&q, 0, (fsim_event){.at_ns = FSIM_NEVER - 1, .target = 2});
    fsim_event_queue_push(&q, 0, (fsim_event){.at_ns = 1, .target = 1});
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 1);
    CHECK_EQ_INT(fsim_event_queue_next_ns(&q), FSIM_NEVER - 1);
    CHECK_EQ_INT(fsim_event_queue_pop(&q).target, 2);
    fsim_event_queue_deinit(&q);
}

int main(void) {
    RUN(test_empty);
    RUN(test_equal_instants_are_first_in_first_out);
    RUN(test_order_across_the_horizon);
    RUN(test_latest_instant);
    RUN(test_agrees_with_a_plain_queue);
    return check_done();
}
