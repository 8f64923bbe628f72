/* The indexes of a fleet against a list of instances that is searched from end to end. */
#include "model/fleet.h"
#include "support/check.h"

#define INSTANCES 300u

typedef struct member {
    bool announced, in_fleet;
    uint32_t inside;
    uint64_t created, used;
    uint64_t idle_since; /* by the same count; 0: not idle */
} member;

static member members[INSTANCES];
static fsim_fleet_link links[INSTANCES];
static uint64_t steps, last_taken; /* last_taken: created stamp of the instance taken last, for round robin */

static bool has_slot(uint32_t i, uint32_t slots) {
    return members[i].in_fleet && members[i].inside < slots;
}

/* May the rule choose a rather than b? Both have a free slot; the rules that draw are checked apart. */
static bool preferred(fsim_route_order order, uint32_t a, uint32_t b) {
    const member *x = &members[a], *y = &members[b];
    switch (order) {
    case FSIM_ROUTE_NEWEST_IDLE: return x->used > y->used;
    case FSIM_ROUTE_OLDEST_IDLE: return x->used < y->used;
    case FSIM_ROUTE_NEWEST_CREATED: return x->created > y->created;
    case FSIM_ROUTE_OLDEST_CREATED: return x->created < y->created;
    case FSIM_ROUTE_ROUND_ROBIN:
        if ((x->created > last_taken) != (y->created > last_taken)) {
            return x->created > last_taken;
        }
        return x->created < y->created;
    case FSIM_ROUTE_LEAST_LOADED: return x->inside < y->inside;
    case FSIM_ROUTE_MOST_LOADED: return x->inside > y->inside;
    default: return false;
    }
}

/* `picked` has a free slot and nothing with one is preferred to it. */
static bool check_pick(const fsim_fleet *fleet, uint32_t picked) {
    bool any = false;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        any = any || has_slot(i, fleet->slots);
    }
    if (!any || picked == FSIM_NONE) {
        return CHECK_EQ_INT(picked, any ? 0 : FSIM_NONE);
    }
    if (!CHECK(picked < INSTANCES && has_slot(picked, fleet->slots))) {
        return false;
    }
    for (uint32_t i = 0; i < INSTANCES; i++) {
        if (has_slot(i, fleet->slots) && i != picked && preferred(fleet->order, i, picked)) {
            check_fail(__FILE__, __LINE__, "picked %u, expected %u before it", picked, i);
            return false;
        }
    }
    return true;
}

/* The idle list, from the one idle longest. */
static bool check_idle_list(const fsim_fleet *fleet) {
    uint64_t before = 0;
    uint32_t listed = 0, idle = 0;
    for (uint32_t i = fleet->idle_oldest; i != FSIM_NONE; i = links[i].idle_newer, listed++) {
        if (!CHECK(members[i].in_fleet && members[i].inside == 0 && members[i].idle_since > before)) {
            return false;
        }
        before = members[i].idle_since;
    }
    for (uint32_t i = 0; i < INSTANCES; i++) {
        idle += members[i].in_fleet && members[i].inside == 0;
    }
    return CHECK_EQ_INT(listed, idle);
}

static void announce(fsim_fleet *fleet, uint32_t i) {
    members[i] = (member){.announced = true, .created = ++steps};
    REQUIRE(fsim_fleet_announce(fleet, links, i));
}

static void add(fsim_fleet *fleet, uint32_t i) {
    steps++;
    members[i] =
        (member){.in_fleet = true, .created = members[i].created, .used = steps, .idle_since = steps};
    links[i].inside = 0;
    REQUIRE(fsim_fleet_add(fleet, links, i));
}

static void drop(fsim_fleet *fleet, uint32_t i) {
    if (members[i].in_fleet) {
        fsim_fleet_remove(fleet, links, i);
    } else {
        fsim_fleet_withdraw(fleet, links, i);
    }
    members[i] = (member){0};
}

static void enter(fsim_fleet *fleet, uint32_t i) {
    members[i].inside++;
    members[i].used = ++steps;
    last_taken = members[i].created;
    REQUIRE(fsim_fleet_enter(fleet, links, i));
}

static void leave(fsim_fleet *fleet, uint32_t i) {
    members[i].inside--;
    members[i].used = ++steps;
    members[i].idle_since = steps;
    fsim_fleet_leave(fleet, links, i);
}

static void walk(fsim_route_order order, uint32_t slots, uint32_t population) {
    fsim_fleet fleet;
    fsim_rng rng;
    fsim_rng_seed(&rng, 31u * (uint64_t)order + slots, "fleet", FSIM_RNG_ROUTING);
    memset(members, 0, sizeof members);
    steps = last_taken = 0;
    fsim_fleet_init(&fleet, order, slots);
    uint32_t count = 0;
    for (uint32_t step = 0; step < 20000 && check_state.failures == 0; step++) {
        uint32_t i = fsim_rng_below(&rng, population), dice = fsim_rng_below(&rng, 100);
        if (dice < 10) {
            bool goes = fsim_rng_below(&rng, 5) == 0;
            if (members[i].in_fleet || (members[i].announced && goes)) {
                count -= members[i].in_fleet;
                drop(&fleet, i);
            } else if (members[i].announced) {
                add(&fleet, i);
                count++;
            } else {
                announce(&fleet, i);
            }
        } else if (dice < 55) {
            uint32_t picked = fsim_fleet_pick(&fleet, links, &rng);
            if (check_pick(&fleet, picked) && picked != FSIM_NONE) {
                if (fsim_rng_below(&rng, 5) == 0) {
                    fsim_fleet_refuse(&fleet);
                } else {
                    enter(&fleet, picked);
                }
            }
        } else if (members[i].in_fleet && members[i].inside > 0) {
            leave(&fleet, i);
        }
        CHECK_EQ_INT(fleet.count, count);
        if (step % 50 == 0) {
            check_idle_list(&fleet);
        }
    }
    fsim_fleet_deinit(&fleet);
}

static void test_every_rule_agrees_with_a_search(void) {
    static const uint32_t slots[] = {1, 2, 5, 80, FSIM_UNLIMITED};
    static const uint32_t populations[] = {1, 4, 30, INSTANCES};
    for (fsim_route_order order = FSIM_ROUTE_NEWEST_IDLE; order <= FSIM_ROUTE_TWO_CHOICES; order++) {
        for (size_t s = 0; s < 5; s++) {
            for (size_t p = 0; p < 4; p++) {
                check_context("order %d, %u slots, %u instances", (int)order, slots[s], populations[p]);
                walk(order, slots[s], populations[p]);
            }
        }
    }
}

/* How often each of ten instances is picked; loads: i % 3 requests inside. */
static void sample_picks(fsim_route_order order, uint32_t picks[10]) {
    fsim_fleet fleet;
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "picks", FSIM_RNG_ROUTING);
    memset(members, 0, sizeof members);
    memset(picks, 0, 10 * sizeof *picks);
    fsim_fleet_init(&fleet, order, 3);
    for (uint32_t i = 0; i < 10; i++) {
        announce(&fleet, i);
        add(&fleet, i);
        for (uint32_t k = 0; k < i % 3; k++) {
            enter(&fleet, i);
        }
    }
    for (int n = 0; n < 90000; n++) {
        picks[fsim_fleet_pick(&fleet, links, &rng)]++;
    }
    fsim_fleet_deinit(&fleet);
}

/* Uniform over all with a free slot; over the least loaded (0, 3, 6, 9); over the most loaded (2, 5, 8). Five
 * standard deviations. */
static void test_draws_are_uniform(void) {
    uint32_t picks[10];
    sample_picks(FSIM_ROUTE_RANDOM, picks);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_NEAR(picks[i], 9000, 5 * sqrt(9000));
    }
    sample_picks(FSIM_ROUTE_LEAST_LOADED, picks);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_NEAR(picks[i], i % 3 == 0 ? 22500 : 0, i % 3 == 0 ? 5 * sqrt(22500) : 0);
    }
    sample_picks(FSIM_ROUTE_MOST_LOADED, picks);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_NEAR(picks[i], i % 3 == 2 ? 30000 : 0, i % 3 == 2 ? 5 * sqrt(30000) : 0);
    }
}

/* Of 45 pairs a load of 0 (four instances) wins 6 ties and 24 comparisons, 1 (three) wins 3 and 9, 2 (three)
 * wins 3. */
static void test_two_choices_prefers_the_less_loaded(void) {
    uint32_t picks[10];
    static const double wins[] = {30, 12, 3}, members_of[] = {4, 3, 3};
    sample_picks(FSIM_ROUTE_TWO_CHOICES, picks);
    for (uint32_t i = 0; i < 10; i++) {
        double expected = 90000 * wins[i % 3] / 45 / members_of[i % 3];
        CHECK_NEAR(picks[i], expected, 5 * sqrt(expected));
    }
}

/* Two fleets with the same few members; the second has so many full ones besides that its index is that of
 * large fleets. What is picked must be the same, draw for draw. */
enum { FEW = FSIM_FLEET_FEW, CROWD = FEW + 1 };

typedef struct twin {
    fsim_fleet fleet;
    fsim_fleet_link links[FEW + CROWD];
    fsim_rng rng;
} twin;

static void twin_init(twin *t, fsim_route_order order, uint32_t slots, uint32_t crowd) {
    memset(t, 0, sizeof *t);
    fsim_fleet_init(&t->fleet, order, slots);
    fsim_rng_seed(&t->rng, slots, "twin", FSIM_RNG_ROUTING);
    for (uint32_t i = FEW; i < FEW + crowd; i++) {
        REQUIRE(fsim_fleet_add(&t->fleet, t->links, i));
    }
    for (uint32_t i = FEW; i < FEW + crowd; i++) {
        for (uint32_t k = 0; k < slots; k++) {
            REQUIRE(fsim_fleet_enter(&t->fleet, t->links, i));
        }
    }
}

/* Instance i joins or goes, where it is a member is parked or comes back, takes a request more, or has one
 * less. */
static void twin_change(twin *t, uint32_t i, uint32_t dice, bool joined, bool parked) {
    if (parked) {
        REQUIRE(fsim_fleet_unpark(&t->fleet, t->links, i));
    } else if (!joined) {
        t->links[i].inside = 0;
        REQUIRE(fsim_fleet_add(&t->fleet, t->links, i));
    } else if (dice < 10) {
        fsim_fleet_remove(&t->fleet, t->links, i);
    } else if (dice < 20) {
        fsim_fleet_park(&t->fleet, t->links, i);
    } else if (t->links[i].inside > 0) {
        fsim_fleet_leave(&t->fleet, t->links, i);
    }
}

static void walk_twins(fsim_route_order order, uint32_t slots) {
    twin few, many;
    fsim_rng rng;
    bool joined[FEW] = {false}, parked[FEW] = {false};
    twin_init(&few, order, slots, 0);
    twin_init(&many, order, slots, CROWD);
    fsim_rng_seed(&rng, slots, "changes", FSIM_RNG_ROUTING);
    for (uint32_t step = 0; step < 20000 && check_state.failures == 0; step++) {
        uint32_t i = fsim_rng_below(&rng, FEW), dice = fsim_rng_below(&rng, 100);
        twin_change(&few, i, dice, joined[i], parked[i]);
        twin_change(&many, i, dice, joined[i], parked[i]);
        bool stayed = joined[i] && !parked[i];
        joined[i] = !stayed || dice >= 10;
        parked[i] = stayed && dice >= 10 && dice < 20;
        uint32_t picked = fsim_fleet_pick(&few.fleet, few.links, &few.rng);
        CHECK_EQ_INT(fsim_fleet_pick(&many.fleet, many.links, &many.rng), picked);
        if (picked != FSIM_NONE && CHECK(picked < FEW)) {
            REQUIRE(fsim_fleet_enter(&few.fleet, few.links, picked));
            REQUIRE(fsim_fleet_enter(&many.fleet, many.links, picked));
        }
    }
    fsim_fleet_deinit(&few.fleet);
    fsim_fleet_deinit(&many.fleet);
}

static void test_few_members_are_picked_as_many_are(void) {
    static const fsim_route_order orders[] = {FSIM_ROUTE_RANDOM, FSIM_ROUTE_LEAST_LOADED,
                                              FSIM_ROUTE_MOST_LOADED};
    static const uint32_t slots[] = {1, 2, 5, 20};
    for (size_t o = 0; o < 3; o++) {
        for (size_t s = 0; s < 4; s++) {
            check_context("order %d, %u slots", (int)orders[o], slots[s]);
            walk_twins(orders[o], slots[s]);
        }
    }
}

/* What a parked member holds is counted behind the fleet's back, as the requests of its sessions are: it may
 * come back with a load that no other member has ever had. */
static void check_heavy_return(fsim_route_order order, uint32_t members_count, uint32_t load) {
    fsim_fleet fleet;
    fsim_rng rng;
    fsim_rng_seed(&rng, load, "heavy", FSIM_RNG_ROUTING);
    memset(members, 0, sizeof members);
    fsim_fleet_init(&fleet, order, 1000);
    for (uint32_t i = 0; i < members_count; i++) {
        announce(&fleet, i);
        add(&fleet, i);
        enter(&fleet, i);
    }
    fsim_fleet_park(&fleet, links, 0);
    members[0].inside = links[0].inside = load;
    REQUIRE(fsim_fleet_unpark(&fleet, links, 0));
    enter(&fleet, 0);
    leave(&fleet, 0);
    for (uint32_t n = 0; n < 4 * load; n++) { /* the others catch up, or it goes further ahead */
        uint32_t picked = fsim_fleet_pick(&fleet, links, &rng);
        REQUIRE(check_pick(&fleet, picked));
        enter(&fleet, picked);
    }
    while (members[0].inside > 0) {
        leave(&fleet, 0);
        check_pick(&fleet, fsim_fleet_pick(&fleet, links, &rng));
    }
    drop(&fleet, 0);
    check_pick(&fleet, fsim_fleet_pick(&fleet, links, &rng));
    check_idle_list(&fleet);
    fsim_fleet_deinit(&fleet);
}

static void test_a_parked_member_comes_back_with_any_load(void) {
    static const fsim_route_order orders[] = {FSIM_ROUTE_LEAST_LOADED, FSIM_ROUTE_MOST_LOADED};
    static const uint32_t counts[] = {FEW, FEW + 1, 30}, loads[] = {1, 15, 16, 17, 32, 33, 200};
    for (size_t k = 0; k < 2 * 3 * 7 && check_state.failures == 0; k++) {
        check_context("order %d, %u members, load %u", (int)orders[k % 2], counts[k / 2 % 3], loads[k / 6]);
        check_heavy_return(orders[k % 2], counts[k / 2 % 3], loads[k / 6]);
    }
}

int main(void) {
    RUN(test_every_rule_agrees_with_a_search);
    RUN(test_few_members_are_picked_as_many_are);
    RUN(test_a_parked_member_comes_back_with_any_load);
    RUN(test_draws_are_uniform);
    RUN(test_two_choices_prefers_the_less_loaded);
    return check_done();
}
