#include "base/calendar.h"

#include <string.h>

typedef struct cursor {
    const char *at, *end;
} cursor;

/* Exactly `digits` digits. */
static bool read_number(cursor *c, int digits, int64_t *out) {
    int64_t value = 0;
    for (int i = 0; i < digits; i++, c->at++) {
        if (c->at == c->end || *c->at < '0' || *c->at > '9') {
            return false;
        }
        value = value * 10 + (*c->at - '0');
    }
    *out = value;
    return true;
}

static bool skip(cursor *c, const char *one_of) {
    bool found = c->at < c->end && strchr(one_of, *c->at) != NULL && *c->at != '\0';
    c->at += found;
    return found;
}

static int64_t days_in(int64_t year, int64_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01, year >= 1970. */
static int64_t days_before(int64_t year, int64_t month, int64_t day) {
    int64_t y = year - 1, days = day - 1;
    days += (year - 1970) * 365 + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    for (int64_t m = 1; m < month; m++) {
        days += days_in(year, m);
    }
    return days;
}

static bool read_date(cursor *c, int64_t *seconds) {
    int64_t year, month, day;
    bool ok = read_number(c, 4, &year) && skip(c, "-") && read_number(c, 2, &month) && skip(c, "-") &&
              read_number(c, 2, &day);
    if (!ok || year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month)) {
        return false;
    }
    *seconds = days_before(year, month, day) * 86400;
    return true;
}

/* hh:mm[:ss[.fraction]] */
static bool read_clock(cursor *c, int64_t *seconds, fsim_ns *fraction_ns) {
    int64_t hour, minute, second = 0;
    *fraction_ns = 0;
    if (!read_number(c, 2, &hour) || !skip(c, ":") || !read_number(c, 2, &minute)) {
        return false;
    }
    if (skip(c, ":") && !read_number(c, 2, &second)) {
        return false;
    }
    if (c->at < c->end && (*c->at == '.' || *c->at == ',')) {
        fsim_ns unit_ns = FSIM_SECOND / 10;
        const char *first = ++c->at;
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, unit_ns /= 10) {
            *fraction_ns += (*c->at - '0') * unit_ns;
        }
        if (c->at == first) {
            return false;
        }
    }
    *seconds += hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

/* How far the clock is ahead of UTC. */
static bool read_offset(cursor *c, int64_t *seconds) {
    int64_t hour, minute = 0;
    *seconds = 0;
    if (c->at == c->end || skip(c, "Zz")) {
        return true;
    }
    int64_t sign = *c->at == '-' ? -1 : 1;
    if (!skip(c, "+-") || !read_number(c, 2, &hour)) {
        return false;
    }
    if ((skip(c, ":") || c->at < c->end) && !read_number(c, 2, &minute)) {
        return false;
    }
    *seconds = sign * (hour * 3600 + minute * 60);
    return hour <= 23 && minute <= 59;
}

bool fsim_calendar_parse(const char *text, size_t len, fsim_ns *unix_ns) {
    cursor c = {text, text + len};
    int64_t seconds, ahead;
    fsim_ns fraction_ns;
    if (!read_date(&c, &seconds) || !skip(&c, "Tt ") || !read_clock(&c, &seconds, &fraction_ns) ||
        !read_offset(&c, &ahead) || c.at != c.end || seconds < ahead) {
        return false;
    }
    *unix_ns = (seconds - ahead) * FSIM_SECOND + fraction_ns;
    return true;
}
