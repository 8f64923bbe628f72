/* Step scaling, cooldowns and target tracking: the worked examples of AWS, and the edges of each rule. */
#include "api/group_metric.h"
#include "autoscale/cooldown.h"
#include "autoscale/step_scaling.h"
#include "autoscale/target_tracking.h"

#include "support/check.h"

#include <math.h>

static fsim_steps steps_of(bool upwards, const char *text) {
    fsim_steps steps;
    fsim_error err = {0};
    if (fsim_steps_parse(&steps, upwards, text, &err) != FSIM_OK) {
        printf("%s\n", err.text);
        REQUIRE(false);
    }
    return steps;
}

static int64_t step(const fsim_steps *steps, int64_t capacity, double metric) {
    const fsim_step *found = fsim_steps_find(steps, metric);
    return found == NULL ? capacity : fsim_step_adjust(capacity, found->by, 0, 0, 1000);
}

/* The example of the EC2 guide: thresholds 60 and 40, 10 instances. */
static void test_documented_steps(void) {
    fsim_steps out = steps_of(true, "+10% at 60, +30% at 70"),
               in = steps_of(false, "-30% at 30, -10% at 40 %");
    CHECK_EQ_INT(step(&out, 10, 59.9), 10);
    CHECK_EQ_INT(step(&out, 10, 60), 11);
    CHECK_EQ_INT(step(&out, 11, 70), 14);
    CHECK_EQ_INT(step(&in, 14, 40.1), 14);
    CHECK_EQ_INT(step(&in, 14, 40), 13);
    CHECK_EQ_INT(step(&in, 13, 30), 10);
}

/* Lower bound inclusive upwards, upper bound inclusive downwards. */
static void test_bounds_belong_to_the_outer_step(void) {
    fsim_steps out = steps_of(true, "+5 at 90, +2 at 80"), in = steps_of(false, "-1 at 40, =0 at 10");
    CHECK_EQ_INT(step(&out, 3, nextafter(90, 0)), 5);
    CHECK_EQ_INT(step(&out, 3, 90), 8);
    CHECK_EQ_INT(step(&out, 3, INFINITY), 8);
    CHECK_EQ_INT(step(&in, 3, nextafter(10, 40)), 2);
    CHECK_EQ_INT(step(&in, 3, 10), 0);
    CHECK(fsim_steps_find(&out, NAN) == NULL);
    CHECK(fsim_steps_find(&in, NAN) == NULL);
}

static void test_rounding(void) {
    static const struct {
        int64_t capacity, magnitude, after;
        double percent;
    } rows[] = {{10, 0, 11, 12.5},   {3, 0, 4, 10},     {3, 0, 2, -10},  {20, 0, 14, -33.4}, {10, 0, 13, 30},
                {10, 2, 12, 10},     {10, 2, 8, -10},   {10, 2, 14, 40}, {0, 0, 0, 50},      {0, 2, 0, 50},
                {100, 0, 1000, 1e6}, {10, 0, 0, -1000}, {7, 0, 7, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fsim_adjustment by = {FSIM_ADJUST_PERCENT, rows[i].percent};
        check_context("%lld %+g %%", (long long)rows[i].capacity, rows[i].percent);
        CHECK_EQ_INT(fsim_step_adjust(rows[i].capacity, by, rows[i].magnitude, 0, 1000), rows[i].after);
    }
    CHECK_EQ_INT(fsim_step_adjust(5, (fsim_adjustment){FSIM_ADJUST_EXACT, 2}, 0, 3, 10), 3);
    CHECK_EQ_INT(fsim_step_adjust(5, (fsim_adjustment){FSIM_ADJUST_CHANGE, -9}, 0, 1, 10), 1);
}

static void test_what_is_no_step(void) {
    static const struct {
        bool upwards;
        const char *text;
    } bad[] = {{true, "2 at 80"},
               {true, "+2"},
               {true, "+2 at"},
               {true, "+2 at x"},
               {true, "+ at 80"},
               {true, "-2 at 80"},
               {false, "+2 at 80"},
               {true, "+0 at 80"},
               {true, "+2 at 80; +3 at 9"},
               {true, "+2 at 80,"},
               {true, "+1.5 at 80"},
               {true, "=-1 at 80"},
               {true, "+2 at 80, +3 at 80"},
               {true, "+2 at inf"},
               {true, "+nan at 80"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fsim_steps steps;
        fsim_error err = {0};
        check_context("%s", bad[i].text);
        CHECK(fsim_steps_parse(&steps, bad[i].upwards, bad[i].text, &err) == FSIM_ECONFIG);
        CHECK(strlen(err.text) > 10);
    }
    CHECK_EQ_INT(steps_of(true, "none").count + steps_of(false, "").count, 0);
}

static void test_cooldown(void) {
    fsim_cooldown c = {0};
    fsim_ns s = FSIM_SECOND, out = 300 * s, in = 200 * s;
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 0, out, in, 10, 2), 12);
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 50 * s, out, in, 12, 2), 12);
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 100 * s, out, in, 12, 3), 13);
    CHECK_EQ_INT(fsim_cooldown_added(&c, 399 * s, out), 3);
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 400 * s, out, in, 13, 3), 16);
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 500 * s, out, in, 16, -4),
                 12); /* a scale-out does not hold it back */
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 699 * s, out, in, 12, -1), 12);
    CHECK(!fsim_cooldown_allows_in(&c, 699 * s, in) && fsim_cooldown_allows_in(&c, 700 * s, in));
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 700 * s, out, in, 12, -1), 11);
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 701 * s, out, in, 11, 1),
                 12); /* ends the cooldown of the scale-in */
    CHECK_EQ_INT(fsim_cooldown_apply(&c, 702 * s, out, in, 12, -1), 11);
}

static fsim_tracking_decision track(fsim_tracking *t, const fsim_tracking_params *p, double metric,
                                    int64_t capacity, int64_t warming) {
    fsim_tracking_reading reading = {
        .has_data = metric >= 0, .metric = metric, .capacity = capacity, .warming = warming};
    return fsim_tracking_decide(t, p, &reading);
}

static void test_tracking_out(void) {
    fsim_tracking_params p = fsim_tracking_params_default(50);
    fsim_tracking t = {0};
    CHECK(track(&t, &p, 80, 10, 0).verdict == FSIM_TRACKING_STAY);
    CHECK(track(&t, &p, 80, 10, 0).verdict == FSIM_TRACKING_STAY);
    CHECK_EQ_INT(track(&t, &p, 80, 10, 0).desired, 16);
    CHECK_EQ_INT(track(&t, &p, 80, 16, 6).desired, 16); /* six warm up: 10 x 80 / 50 is what there is */
    CHECK_EQ_INT(track(&t, &p, 90, 16, 6).desired, 18);
    CHECK(track(&t, &p, 50, 18, 0).verdict == FSIM_TRACKING_STAY); /* at the target is not above it */
    CHECK(track(&t, &p, 80, 18, 0).verdict == FSIM_TRACKING_STAY); /* and the three begin again */
    p = fsim_tracking_params_default(0.7);
    p.high_points = 1;
    CHECK_EQ_INT(track(&t, &p, 0.7 * 1.1, 10, 0).desired, 11); /* whole but for rounding */
}

static void test_tracking_in(void) {
    fsim_tracking_params p = fsim_tracking_params_default(50);
    fsim_tracking t = {0};
    for (int i = 0; i < 14; i++) {
        CHECK(track(&t, &p, 10, 30, 0).verdict == FSIM_TRACKING_STAY);
    }
    CHECK(track(&t, &p, 10, 30, 1).verdict == FSIM_TRACKING_STAY); /* one warms up */
    CHECK_EQ_INT(track(&t, &p, 10, 30, 0).desired, 27);
    CHECK_EQ_INT(track(&t, &p, 44.9, 27, 0).desired, 25);
    CHECK_EQ_INT(track(&t, &p, 44.9, 5, 0).desired, 5); /* 4.49 rounds up */
    CHECK(track(&t, &p, -1, 27, 0).verdict == FSIM_TRACKING_NO_DATA);
    CHECK(track(&t, &p, 10, 27, 0).verdict == FSIM_TRACKING_STAY);
    for (int i = 0; i < 20; i++) {
        CHECK(track(&t, &p, 45, 27, 0).verdict == FSIM_TRACKING_STAY); /* nine tenths are not below */
    }
    p.scale_in = false;
    for (int i = 0; i < 20; i++) {
        CHECK(track(&t, &p, 1, 27, 0).verdict == FSIM_TRACKING_STAY);
    }
}

static void test_trackers_together(void) {
    fsim_tracking_decision out = {FSIM_TRACKING_OUT, 12}, more = {FSIM_TRACKING_OUT, 15},
                           in = {FSIM_TRACKING_IN, 8}, less = {FSIM_TRACKING_IN, 6},
                           stay = {FSIM_TRACKING_STAY, 10}, none = {FSIM_TRACKING_NO_DATA, 10};
    CHECK_EQ_INT(fsim_tracking_join(out, more).desired, 15);
    CHECK_EQ_INT(fsim_tracking_join(more, out).desired, 15);
    CHECK_EQ_INT(fsim_tracking_join(in, out).desired, 12);
    CHECK_EQ_INT(fsim_tracking_join(in, less).desired, 8);
    CHECK_EQ_INT(fsim_tracking_join(in, stay).desired, 10);
    CHECK_EQ_INT(fsim_tracking_join(stay, in).desired, 10);
    CHECK_EQ_INT(fsim_tracking_join(in, none).desired, 10);
    CHECK_EQ_INT(fsim_tracking_join(none, out).desired, 12);
}

/* 14 % of a quarter of a core comes back as 14 %, which is not above 14; a third stays a third. */
static void test_rounding_moves_no_bound(void) {
    static const double percent[] = {7, 14, 28, 29, 55, 57, 58, 70, 83};
    static const double vcpu[] = {0.25, 0.1, 0.7, 0.583, 2};
    for (size_t i = 0; i < sizeof percent / sizeof *percent; i++) {
        for (size_t k = 0; k < sizeof vcpu / sizeof *vcpu; k++) {
            fsim_instance_sample one[3];
            for (int n = 0; n < 3; n++) {
                one[n] = (fsim_instance_sample){
                    .over_ns = 1, .cpu = percent[i] / 100 * vcpu[k], .concurrency = n == 0};
            }
            const fsim_scale_sample sample = {.instances = one, .count = 3};
            fsim_group_reading r = fsim_group_read(&sample, 0, vcpu[k], 128);
            check_context("%g %% of %g", percent[i], vcpu[k]);
            CHECK(r.mean[FSIM_GROUP_CPU] >= percent[i] && r.mean[FSIM_GROUP_CPU] <= percent[i]);
            CHECK_NEAR(r.mean[FSIM_GROUP_CONCURRENCY], 1.0 / 3, 1e-15);
        }
    }
    fsim_tracking_params p = fsim_tracking_params_default(0.65);
    p.high_points = p.low_points = 1;
    for (int n = 1; n < 100; n++) { /* at the target, and at the share of it that is low */
        fsim_tracking t = {0};
        fsim_tracking_reading r = {.has_data = true, .capacity = 1000, .metric = n / 100.0};
        p.target = 100.0 * n / 10000;
        CHECK_EQ_INT(fsim_tracking_decide(&t, &p, &r).verdict, FSIM_TRACKING_STAY);
        r.metric = 0.9 * n / 100.0;
        CHECK_EQ_INT(fsim_tracking_decide(&t, &p, &r).verdict, FSIM_TRACKING_STAY);
    }
}

int main(void) {
    RUN(test_documented_steps);
    RUN(test_bounds_belong_to_the_outer_step);
    RUN(test_rounding);
    RUN(test_what_is_no_step);
    RUN(test_cooldown);
    RUN(test_tracking_out);
    RUN(test_tracking_in);
    RUN(test_trackers_together);
    RUN(test_rounding_moves_no_bound);
    return check_done();
}
