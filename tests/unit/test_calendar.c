/* ISO 8601 to Unix time; expected values are those of `date -u -d … +%s`. */
#include "base/calendar.h"

#include "support/check.h"

static const struct {
    const char *text;
    int64_t seconds, ns;
} good[] = {
    {"1970-01-01T00:00:00Z", 0, 0},
    {"1972-03-01 00:00:00", 68256000, 0},
    {"2000-02-29T12:00:00Z", 951825600, 0},
    {"2000-03-01T00:00Z", 951868800, 0},
    {"2026-08-21T09:30:00.250+02:00", 1787297400, 250000000},
    {"2026-08-21 09:30:00,5-0330", 1787317200, 500000000},
    {"2026-08-21T09:30:00.1234567891Z", 1787304600, 123456789},
    {"2100-03-01T00:00:00+00", 4107542400, 0},
    {"2261-12-31T23:59:59Z", 9214646399, 0},
};

static const char *const bad[] = {
    "",
    "2026-08-21",
    "2026-08-21T",
    "2026-8-21T09:30:00Z",
    "2026-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00+2",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00 UTC",
    "2026-01-01T00:00:00Zx",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+01:00",
    "2262-01-01T00:00:00Z",
    "yesterday",
};

static void test_good(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        fsim_ns at = -1;
        check_context("%s", good[i].text);
        CHECK(fsim_calendar_parse(good[i].text, strlen(good[i].text), &at));
        CHECK_EQ_INT(at, good[i].seconds * FSIM_SECOND + good[i].ns);
    }
}

static void test_bad(void) {
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fsim_ns at;
        check_context("%s", bad[i]);
        CHECK(!fsim_calendar_parse(bad[i], strlen(bad[i]), &at));
    }
    fsim_ns at;
    CHECK(!fsim_calendar_parse("2026-01-01T00:00:00\0", 20, &at));
}

int main(void) {
    RUN(test_good);
    RUN(test_bad);
    return check_done();
}
