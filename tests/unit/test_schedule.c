/* Scheduled capacity: what a schedule says at an instant, by hand from a week's calendar; and what is none.
 */
#include "autoscale/schedule.h"

#include "support/check.h"

static fsim_schedule parse(const char *text, const char *clock, const char *timezone) {
    fsim_schedule s;
    fsim_error err = {0};
    if (fsim_schedule_parse(&s, text, clock, timezone, &err) != FSIM_OK) {
        printf("%s\n", err.text);
        REQUIRE(false);
    }
    return s;
}

/* The number in force d days, h hours and m minutes after t = 0; -7 where nothing is said. */
static int64_t at(const fsim_schedule *s, int64_t d, int64_t h, int64_t m) {
    int64_t least = -7, most = -7;
    fsim_schedule_at(s, d * FSIM_DAY + h * FSIM_HOUR + m * FSIM_MINUTE, &least, &most);
    CHECK_EQ_INT(least, most);
    return least;
}

static void test_office_hours(void) {
    fsim_schedule s = parse("100 at 08:00 mon-fri; 5 at 20:00 mon-fri", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 0, 0), 5); /* since last Friday */
    CHECK_EQ_INT(at(&s, 0, 7, 59), 5);
    CHECK_EQ_INT(at(&s, 0, 8, 0), 100);
    CHECK_EQ_INT(at(&s, 0, 19, 59), 100);
    CHECK_EQ_INT(at(&s, 0, 20, 0), 5);
    CHECK_EQ_INT(at(&s, 4, 12, 0), 100);
    CHECK_EQ_INT(at(&s, 5, 12, 0), 5); /* Saturday */
    CHECK_EQ_INT(at(&s, 6, 23, 59), 5);
    CHECK_EQ_INT(at(&s, 70, 8, 0), 100);
}

/* The same said as cron; quarter hours; a list of hours; Sunday as 0 and as 7. */
static void test_cron(void) {
    fsim_schedule s = parse("100 at 0 8 * * mon-fri; 5 at 0 20 ? * 1-5", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 1, 8, 0), 100);
    CHECK_EQ_INT(at(&s, 6, 12, 0), 5);
    s = parse("1 at */15 * * * *; 2 at 7/15 6,18 * * *", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 6, 6), 1);
    CHECK_EQ_INT(at(&s, 0, 6, 7), 2);
    CHECK_EQ_INT(at(&s, 0, 6, 14), 2);
    CHECK_EQ_INT(at(&s, 0, 6, 15), 1);
    CHECK_EQ_INT(at(&s, 0, 6, 53), 2);
    CHECK_EQ_INT(at(&s, 0, 7, 1), 1);
    CHECK_EQ_INT(at(&s, 0, 18, 22), 2);
    for (int sunday = 0; sunday <= 7; sunday += 7) {
        char text[64];
        snprintf(text, sizeof text, "3 at 0 0 * * %d; 4 at 0 0 * * mon", sunday);
        s = parse(text, "mon 00:00", "UTC");
        CHECK_EQ_INT(at(&s, 5, 23, 59), 4);
        CHECK_EQ_INT(at(&s, 6, 0, 0), 3);
        CHECK_EQ_INT(at(&s, 7, 0, 0), 4);
    }
    s = parse("3 at 10:00 sat-mon; 4 at 10:00 wed", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 9, 0), 3);
    CHECK_EQ_INT(at(&s, 2, 10, 0), 4);
    CHECK_EQ_INT(at(&s, 5, 9, 59), 4);
    CHECK_EQ_INT(at(&s, 5, 10, 0), 3);
}

/* 08:00 in UTC+8 is 00:00 UTC; the run begins on a Sunday at 15:30 UTC, which is Sunday 23:30 there. */
static void test_time_zone(void) {
    fsim_schedule s = parse("9 at 08:00 mon; 1 at 08:00 tue", "sun 15:30", "+08:00");
    CHECK_EQ_INT(at(&s, 0, 0, 0), 1);
    CHECK_EQ_INT(at(&s, 0, 8, 29), 1);
    CHECK_EQ_INT(at(&s, 0, 8, 30), 9);
    CHECK_EQ_INT(at(&s, 1, 8, 30), 1);
    s = parse("9 at 23:00 sun; 1 at 01:00", "mon 00:00", "-01:00"); /* begins on Sunday at 23:00 */
    CHECK_EQ_INT(at(&s, 0, 0, 0), 9);
    CHECK_EQ_INT(at(&s, 0, 2, 0), 1);
}

static void test_spans_come_once(void) {
    fsim_schedule s = parse("250 at 10m; 20 at 30m;", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 0, 9), -7);
    CHECK_EQ_INT(at(&s, 0, 0, 10), 250);
    CHECK_EQ_INT(at(&s, 0, 0, 30), 20);
    CHECK_EQ_INT(at(&s, 30, 0, 0), 20);
    s = parse("5 at 1h; 7 at 01:00", "mon 00:00", "UTC"); /* at one instant the later one counts */
    CHECK_EQ_INT(at(&s, 0, 1, 0), 7);
    s = parse("7 at 01:00; 5 at 1h", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 1, 0), 5);
    CHECK_EQ_INT(at(&s, 1, 1, 0), 7);
    s = parse("", "mon 00:00", "UTC");
    CHECK_EQ_INT(at(&s, 0, 1, 0), -7);
}

static void test_bounds(void) {
    fsim_schedule s = parse("10..200 at 08:00; ..50 at 12:00; 1.. at 20:00", "mon 00:00", "UTC");
    int64_t least = 3, most = 4;
    fsim_schedule_at(&s, 9 * FSIM_HOUR, &least, &most);
    CHECK(least == 10 && most == 200);
    fsim_schedule_at(&s, 13 * FSIM_HOUR, &least, &most);
    CHECK(least == 10 && most == 50);
    fsim_schedule_at(&s, 21 * FSIM_HOUR, &least, &most);
    CHECK(least == 1 && most == 50);
    s = parse("..50 at 5m", "mon 00:00", "UTC");
    least = 3;
    most = 99;
    fsim_schedule_at(&s, FSIM_HOUR, &least, &most);
    CHECK(least == 3 && most == 50);
}

static void test_what_is_none(void) {
    static const char *const bad[] = {"100",
                                      "at 08:00",
                                      "100 at",
                                      "x at 08:00",
                                      "-1 at 08:00",
                                      "5 at 24:00",
                                      "5 at 08:60",
                                      "5 at 8",
                                      "5 at 08:00 mon-fry",
                                      "5 at 08:00 mon tue",
                                      "5 at 90s",
                                      "5 at 0 8 * *",
                                      "5 at 0 8 * * * *",
                                      "5 at 0 8 1 * *",
                                      "5 at 0 8 * 1 *",
                                      "5 at 60 8 * * *",
                                      "5 at 0 24 * * *",
                                      "5 at */0 8 * * *",
                                      "5 at 9-3 8 * * *",
                                      "5 at 0 8 * * 8",
                                      ".. at 08:00",
                                      "9..3 at 08:00",
                                      "1.5 at 08:00",
                                      "5 on 08:00",
                                      "5 at 0 8, * * *x",
                                      "5 at ",
                                      "5 at 08:00: mon",
                                      "99999999999 at 08:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fsim_schedule s;
        fsim_error err = {0};
        check_context("%s", bad[i]);
        CHECK_EQ_INT(fsim_schedule_parse(&s, bad[i], "mon 00:00", "UTC", &err), FSIM_ECONFIG);
        CHECK_CONTAINS(err.text, "expected");
    }
    static const char *const clocks[] = {"", "mon", "monday 00:00", "mon 24:00", "00:00 mon", "mon 0"};
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        fsim_schedule s;
        fsim_error err = {0};
        check_context("clock %s", clocks[i]);
        CHECK_EQ_INT(fsim_schedule_parse(&s, "", clocks[i], "UTC", &err), FSIM_ECONFIG);
        CHECK_CONTAINS(err.text, "mon 00:00");
    }
    static const char *const zones[] = {"", "CET", "Asia/Shanghai", "8", "+8", "+15:00", "+00:60"};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        fsim_schedule s;
        fsim_error err = {0};
        check_context("zone %s", zones[i]);
        CHECK_EQ_INT(fsim_schedule_parse(&s, "", "mon 00:00", zones[i], &err), FSIM_ECONFIG);
        CHECK_CONTAINS(err.text, "+08:00");
    }
    char many[FSIM_SCHEDULE_MAX * 16 + 32];
    int len = 0;
    for (uint32_t i = 0; i <= FSIM_SCHEDULE_MAX; i++) {
        len += snprintf(many + len, sizeof many - (size_t)len, "1 at 08:00;");
    }
    fsim_schedule s;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_schedule_parse(&s, many, "mon 00:00", "UTC", &err), FSIM_ECONFIG);
}

int main(void) {
    RUN(test_office_hours);
    RUN(test_cron);
    RUN(test_time_zone);
    RUN(test_spans_come_once);
    RUN(test_bounds);
    RUN(test_what_is_none);
    return check_done();
}
