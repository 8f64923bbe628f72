/* Times as traces and logs write them. */
#include "base/text.h"
#include "trace/trace_parts.h"

#include <string.h>
#include <strings.h>

/* A cursor over the text. */
typedef struct scan {
    const char *at, *end;
} scan;

static bool take(scan *s, char c) {
    bool there = s->at < s->end && *s->at == c;
    s->at += there;
    return there;
}

/* A number of `least` to `most` digits. */
static bool number(scan *s, int least, int most, int64_t *out) {
    int digits = 0;
    *out = 0;
    for (; digits < most && s->at < s->end && *s->at >= '0' && *s->at <= '9'; digits++) {
        *out = *out * 10 + (*s->at++ - '0');
    }
    return digits >= least;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool month_name(scan *s, int64_t *month) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int64_t m = 0; s->end - s->at >= 3 && m < 12; m++) {
        if (strncasecmp(s->at, names + 3 * m, 3) == 0) {
            s->at += 3;
            *month = m + 1;
            return true;
        }
    }
    return false;
}

/* hh:mm[:ss[.fraction]] */
static bool clock_of(scan *s, int64_t *of_day_ns) {
    int64_t hour, minute, second = 0, scale = FSIM_SECOND;
    if (!number(s, 1, 2, &hour) || !take(s, ':') || !number(s, 2, 2, &minute) || hour > 24 || minute > 59) {
        return false;
    }
    if (take(s, ':') && (!number(s, 2, 2, &second) || second > 60)) {
        return false;
    }
    *of_day_ns = ((hour * 60 + minute) * 60 + second) * FSIM_SECOND;
    if (take(s, '.') || take(s, ',')) {
        while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
            scale /= 10;
            *of_day_ns += (*s->at++ - '0') * scale;
        }
    }
    return true;
}

/* Z, +02:00, -0400, " UTC"; nothing: UTC. */
static void zone_of(scan *s, int64_t *east_ns) {
    scan ahead = *s;
    int64_t hours, minutes = 0;
    *east_ns = 0;
    if (take(s, 'Z') || take(s, 'z')) {
        return;
    }
    while (take(&ahead, ' ')) {
    }
    if (ahead.end - ahead.at >= 3 && strncasecmp(ahead.at, "UTC", 3) == 0) {
        s->at = ahead.at + 3;
        return;
    }
    bool west = take(&ahead, '-');
    if ((!west && !take(&ahead, '+')) || !number(&ahead, 2, 2, &hours)) {
        return;
    }
    take(&ahead, ':');
    number(&ahead, 2, 2, &minutes);
    *east_ns = (west ? -1 : 1) * (hours * 60 + minutes) * FSIM_MINUTE;
    s->at = ahead.at;
}

static bool is_date(int64_t year, int64_t month, int64_t day) {
    if (year < 1680 || year > 2260 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    return days_of(year, month, day) < next;
}

/* Both orders of a date: 2014-07-01 (also with slashes) and 01/Jul/1995. */
static bool date_of(scan *s, int64_t *days) {
    scan begin = *s;
    int64_t year, month, day;
    if (number(s, 4, 4, &year) && (take(s, '-') || take(s, '/')) && number(s, 1, 2, &month) &&
        (take(s, '-') || take(s, '/')) && number(s, 1, 2, &day)) {
        *days = days_of(year, month, day);
        return is_date(year, month, day);
    }
    *s = begin;
    if (number(s, 1, 2, &day) && take(s, '/') && month_name(s, &month) && take(s, '/') &&
        number(s, 4, 4, &year)) {
        *days = days_of(year, month, day);
        return is_date(year, month, day);
    }
    return false;
}

static bool parse_calendar(scan *s, int64_t *at_ns) {
    int64_t days, of_day_ns = 0, east_ns;
    if (!date_of(s, &days)) {
        return false;
    }
    scan ahead = *s;
    if (take(&ahead, ' ') || take(&ahead, 'T') || take(&ahead, ':')) {
        if (clock_of(&ahead, &of_day_ns)) {
            *s = ahead;
            zone_of(s, &east_ns);
            of_day_ns -= east_ns;
        }
    }
    *at_ns = days * FSIM_DAY + of_day_ns;
    return true;
}

/* Seconds; 10^11 and more are milliseconds since 1970, and so on by thousands. */
static bool parse_plain(scan *s, int64_t *at_ns) {
    int64_t whole, unit_ns = FSIM_SECOND;
    bool negative = take(s, '-');
    const char *digits = s->at;
    if (!number(s, 1, 18, &whole)) {
        return false;
    }
    for (uint64_t limit = UINT64_C(100000000000); unit_ns > 1 && (uint64_t)whole >= limit; limit *= 1000) {
        unit_ns /= 1000;
    }
    if (take(s, '.')) {
        while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
            s->at++;
        }
    }
    fsim_ns span_ns;
    size_t len = (size_t)(s->at - digits);
    len -= len > 0 && digits[len - 1] == '.';
    if (!fsim_text_parse_scaled_ns(digits, len, unit_ns, &span_ns)) {
        return false;
    }
    *at_ns = negative ? -span_ns : span_ns;
    return true;
}

bool trace_parse_time(const char *text, size_t len, int64_t *at_ns, size_t *used) {
    scan s = {text, text + len};
    bool ok = parse_calendar(&s, at_ns);
    if (!ok) {
        s.at = text;
        ok = parse_plain(&s, at_ns);
    }
    *used = (size_t)(s.at - text);
    return ok;
}
