/* The formulas behind `fsim validate`, against values from the literature and from independent computations.
 */
#include "cli/queueing.c"
#include "support/check.h"

static void test_erlang(void) {
    /* R. B. Cooper, "Introduction to Queueing Theory", tables A.1 and A.2 */
    CHECK_NEAR(fsim_queueing_erlang_b(1, 0.5), 1.0 / 3, 1e-12);
    CHECK_NEAR(fsim_queueing_erlang_b(10, 8), 0.121661, 5e-7);
    CHECK_NEAR(fsim_queueing_erlang_c(1, 0.5), 0.5, 1e-12);
    CHECK_NEAR(fsim_queueing_erlang_c_wait(1, 0.5, 1), 1, 1e-12);
}

static void test_patience(void) {
    CHECK_NEAR(fsim_queueing_timed_out(4, 5, 1, 0.5), 0.286534489086, 1e-11);
    CHECK_NEAR(fsim_queueing_timed_out(10, 8, 1, 0), fsim_queueing_erlang_b(10, 8), 1e-12);
    CHECK_NEAR(fsim_queueing_timed_out(4, 4, 1, 1), fsim_queueing_timed_out(4, 4 + 1e-7, 1, 1), 1e-7);
}

static void test_sharing(void) {
    CHECK_NEAR(fsim_queueing_sharing_refused(5, 0.8, 1), 0.0888194986556, 1e-12);
    CHECK_NEAR(fsim_queueing_sharing_response(5, 0.8, 1), 2.56306520704, 1e-10);
    CHECK_NEAR(fsim_queueing_general_wait(0.6, 1, 4), 3.75, 1e-12);
    CHECK_NEAR(fsim_queueing_constant_wait(1, 0.4, 2), 4, 1e-9); /* M/D/1: load / (2 (1 - load)) services */
    CHECK_NEAR(fsim_queueing_constant_wait(2, 1, 1), 0.17674106, 1e-8);
    /* Never away: M/M/1. Else its balance equations, solved one after the other. */
    CHECK_NEAR(fsim_queueing_interrupted_response(0.5, 1, 1e12, 1), 2, 1e-9);
    CHECK_NEAR(fsim_queueing_interrupted_response(0.5, 1, 10, 2), 1.9166666666666667 / 0.5, 1e-9);
    CHECK_NEAR(fsim_queueing_interrupted_response(0.4, 1, 1, 0.2), 0.9487179487179481 / 0.4, 1e-9);
}

static void test_keepalive(void) {
    fsim_queueing_pool pool = fsim_queueing_fixed_keepalive(1, 1, 10);
    CHECK_NEAR(pool.cold, 0.0773738268956, 1e-12);
    CHECK_NEAR(pool.idle, 2.27807540693, 1e-10);
    pool = fsim_queueing_fixed_keepalive(0.9, 1.991, 600);
    CHECK_NEAR(pool.cold, 0.00132930664918, 1e-13);
    pool = fsim_queueing_exponential_keepalive(1, 1, 0.5, 10);
    CHECK_NEAR(pool.cold, 0.169027, 5e-7);
    CHECK_NEAR(pool.idle, 1.690272, 5e-7);
    CHECK_NEAR(pool.starting, 0.0845136, 5e-8);
}

static void test_first_passage(void) {
    /* From 0 to 1 it is an exponential time. */
    fsim_queueing_passage p = fsim_queueing_first_passage(2, 1, 0, 1, 1.5);
    CHECK_NEAR(p.survival, exp(-3), 1e-12);
    CHECK_NEAR(p.mean_min, (1 - exp(-3)) / 2, 1e-12);
    CHECK_NEAR(fsim_queueing_high_water(0.9, 1.991, 3600), 8.9031, 5e-5);
}

static void test_setup(void) {
    CHECK_NEAR(fsim_queueing_setup_one(0.5, 1, 5), 7, 1e-12);
    CHECK_NEAR(fsim_queueing_setup_many(5, 1, 10), 2.085661, 5e-7);
}

int main(void) {
    RUN(test_erlang);
    RUN(test_patience);
    RUN(test_sharing);
    RUN(test_keepalive);
    RUN(test_first_passage);
    RUN(test_setup);
    return check_done();
}
