/* See schedule.h. */
#include "autoscale/schedule.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DAY_MIN   INT64_C(1440)
#define WEEK_MIN  (7 * DAY_MIN)
#define MINUTE_NS (60 * FSIM_SECOND)
#define ALL_DAYS  0x7fu
#define COUNT_MAX INT64_C(1000000000)

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

/* ---- words ---- */

typedef struct word {
    const char *at;
    size_t len;
} word;

#define WORDS_MAX 8

/* The words of [text, end), apart by blanks; WORDS_MAX + 1: more than fit. */
static size_t split(const char *text, const char *end, word *out) {
    size_t n = 0;
    while (text < end) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (n == WORDS_MAX) {
            return WORDS_MAX + 1;
        }
        out[n].at = text;
        while (text < end && !isspace((unsigned char)*text)) {
            text++;
        }
        out[n].len = (size_t)(text - out[n].at);
        n++;
    }
    return n;
}

static bool is_word(word w, const char *text) {
    return w.len == strlen(text) && memcmp(w.at, text, w.len) == 0;
}

/* Digits alone, up to `max`. */
static bool read_number(word w, int64_t max, int64_t *out) {
    int64_t value = 0;
    if (w.len == 0 || w.len > 10) {
        return false;
    }
    for (size_t i = 0; i < w.len; i++) {
        if (!isdigit((unsigned char)w.at[i])) {
            return false;
        }
        value = value * 10 + (w.at[i] - '0');
    }
    *out = value;
    return value <= max;
}

/* The part of *rest before the first `apart`, which goes too; all of it where there is none. */
static word take_until(word *rest, char apart) {
    const char *at = rest->len == 0 ? NULL : memchr(rest->at, apart, rest->len);
    word first = {rest->at, at == NULL ? rest->len : (size_t)(at - rest->at)};
    size_t gone = at == NULL ? rest->len : first.len + 1;
    rest->at += gone;
    rest->len -= gone;
    return first;
}

/* "hh:mm" */
static bool read_clock(word w, int64_t *minute) {
    int64_t hours, minutes;
    word rest = w, hour = take_until(&rest, ':');
    bool ok = hour.len >= 1 && hour.len <= 2 && rest.len == 2 && read_number(hour, 23, &hours) &&
              read_number(rest, 59, &minutes);
    *minute = ok ? hours * 60 + minutes : 0;
    return ok;
}

static bool find_day(word w, int64_t *day) {
    for (int64_t d = 0; day_names[d] != NULL; d++) {
        if (is_word(w, day_names[d])) {
            *day = d;
            return true;
        }
    }
    return false;
}

/* ---- sets: "*", "3", "1-5", "0,30", and steps of them ---- */

/* A weekday of cron, 0 and 7 being Sunday, as days after Monday. */
static bool read_item(word w, bool weekday, int64_t max, int64_t *out) {
    if (!weekday) {
        return read_number(w, max, out);
    }
    if (find_day(w, out)) {
        return true;
    }
    bool number = read_number(w, 7, out);
    *out = (*out + 6) % 7;
    return number;
}

static bool read_range(word item, bool weekday, int64_t count, uint64_t *set) {
    word rest = item, range = take_until(&rest, '/');
    int64_t from = 0, to = count - 1, step = 1;
    if (range.len < item.len && (!read_number(rest, count, &step) || step == 0)) {
        return false;
    }
    if (!is_word(range, "*")) {
        word last = range, first = take_until(&last, '-');
        if (!read_item(first, weekday, count - 1, &from)) {
            return false;
        }
        bool open = range.len == item.len; /* "5/10" counts on to the end, "5" is one */
        to = open ? from : to;
        if (first.len < range.len && !read_item(last, weekday, count - 1, &to)) {
            return false;
        }
        if (to < from) {
            if (!weekday) {
                return false;
            }
            to += count; /* sat-mon */
        }
    }
    for (int64_t i = from; i <= to; i += step) {
        *set |= UINT64_C(1) << (i % count);
    }
    return true;
}

static bool read_set(word field, bool weekday, int64_t count, uint64_t *set) {
    *set = 0;
    if (is_word(field, "?") && weekday) {
        field.at = "*";
    }
    do {
        if (!read_range(take_until(&field, ','), weekday, count, set)) {
            return false;
        }
    } while (field.len > 0);
    return true;
}

/* ---- entries ---- */

static fsim_status fail_entry(word entry, const char *why, fsim_error *err) {
    return fsim_fail(err, FSIM_ECONFIG,
                     "\"%.*s\": %s, expected for example \"100 at 08:00 mon-fri\", \"5..50 at 0 8 * * *\" or "
                     "\"20 at 30m\"",
                     (int)(entry.len < 80 ? entry.len : 80), entry.at, why);
}

/* "5", "5..50", "5..", "..50" */
static bool read_bounds(word w, fsim_schedule_entry *out) {
    word rest = w, first = take_until(&rest, '.');
    out->least = out->most = FSIM_SCHEDULE_OPEN;
    if (first.len == w.len) {
        bool ok = read_number(w, COUNT_MAX, &out->least);
        out->most = out->least;
        return ok;
    }
    if (rest.len == 0 || rest.at[0] != '.') {
        return false;
    }
    rest.at++;
    rest.len--;
    return (first.len + rest.len > 0) && (first.len == 0 || read_number(first, COUNT_MAX, &out->least)) &&
           (rest.len == 0 || read_number(rest, COUNT_MAX, &out->most));
}

static bool read_span(word w, fsim_ns *out) {
    char text[48];
    if (w.len >= sizeof text) {
        return false;
    }
    snprintf(text, sizeof text, "%.*s", (int)w.len, w.at);
    return fsim_text_parse_span(text, out) && *out != FSIM_NEVER;
}

static bool read_daily(const word *words, size_t count, fsim_schedule_entry *out) {
    int64_t minute;
    uint64_t days = ALL_DAYS;
    if (count > 2 || !read_clock(words[0], &minute) || (count == 2 && !read_set(words[1], true, 7, &days))) {
        return false;
    }
    out->minutes = UINT64_C(1) << (minute % 60);
    out->hours = UINT32_C(1) << (minute / 60);
    out->days = (uint8_t)days;
    return true;
}

static bool read_cron(const word *words, fsim_schedule_entry *out) {
    uint64_t hours, days;
    if (!read_set(words[0], false, 60, &out->minutes) || !read_set(words[1], false, 24, &hours) ||
        !read_set(words[4], true, 7, &days)) {
        return false;
    }
    out->hours = (uint32_t)hours;
    out->days = (uint8_t)days;
    return true;
}

static bool is_any(word w) {
    return is_word(w, "*") || is_word(w, "?");
}

static fsim_status read_time(word entry, const word *words, size_t count, fsim_schedule_entry *out,
                             fsim_error *err) {
    if (count == 5) {
        if (!is_any(words[2]) || !is_any(words[3])) {
            return fail_entry(entry, "simulated time has no dates: day of month and month must be *", err);
        }
        return read_cron(words, out) ? FSIM_OK : fail_entry(entry, "no such cron fields", err);
    }
    if (count > 0 && memchr(words[0].at, ':', words[0].len) != NULL) {
        return read_daily(words, count, out) ? FSIM_OK : fail_entry(entry, "no such time or days", err);
    }
    out->once = true;
    if (count != 1 || !read_span(words[0], &out->at_ns)) {
        return fail_entry(entry, "no time", err);
    }
    return out->at_ns % MINUTE_NS == 0 ? FSIM_OK : fail_entry(entry, "not on a whole minute", err);
}

static fsim_status read_entry(word entry, fsim_schedule_entry *out, fsim_error *err) {
    word words[WORDS_MAX];
    size_t count = split(entry.at, entry.at + entry.len, words);
    *out = (fsim_schedule_entry){0};
    if (count < 3 || count > WORDS_MAX || !is_word(words[1], "at") || !read_bounds(words[0], out)) {
        return fail_entry(entry, "no entry of a schedule", err);
    }
    if (out->most != FSIM_SCHEDULE_OPEN && out->least > out->most) {
        return fail_entry(entry, "the least is more than the most", err);
    }
    return read_time(entry, words + 2, count - 2, out, err);
}

/* "UTC", "Z", "+08:00": minutes ahead of UTC. */
static bool read_zone(const char *text, int64_t *ahead) {
    word w = {text, strlen(text)};
    *ahead = 0;
    if (is_word(w, "UTC") || is_word(w, "Z")) {
        return true;
    }
    bool west = w.len > 0 && *text == '-';
    if (!west && (w.len == 0 || *text != '+')) {
        return false;
    }
    bool ok = read_clock((word){text + 1, w.len - 1}, ahead) && *ahead <= 14 * 60;
    *ahead = west ? -*ahead : *ahead;
    return ok;
}

static fsim_status read_begin(fsim_schedule *s, const char *clock, const char *timezone, fsim_error *err) {
    word words[WORDS_MAX];
    int64_t day, minute, ahead;
    if (split(clock, clock + strlen(clock), words) != 2 || !find_day(words[0], &day) ||
        !read_clock(words[1], &minute)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "\"%.40s\" is no clock, expected weekday and time at t = 0 in UTC: \"mon 00:00\"",
                         clock);
    }
    if (!read_zone(timezone, &ahead)) {
        return fsim_fail(err, FSIM_ECONFIG,
                         "\"%.40s\" is no time zone, expected \"UTC\" or a distance from it: \"+08:00\"",
                         timezone);
    }
    s->begins_min = (day * DAY_MIN + minute + ahead + WEEK_MIN) % WEEK_MIN;
    return FSIM_OK;
}

static bool is_blank(word w) {
    word words[WORDS_MAX];
    return split(w.at, w.at + w.len, words) == 0;
}

fsim_status fsim_schedule_parse(fsim_schedule *s, const char *text, const char *clock, const char *timezone,
                                fsim_error *err) {
    word rest = {text, strlen(text)};
    *s = (fsim_schedule){0};
    FSIM_TRY(read_begin(s, clock, timezone, err));
    while (rest.len > 0) {
        word entry = take_until(&rest, ';');
        if (is_blank(entry)) {
            continue; /* behind the last ";" */
        }
        if (s->count == FSIM_SCHEDULE_MAX) {
            return fsim_fail(err, FSIM_ECONFIG, "more than %u entries in a schedule", FSIM_SCHEDULE_MAX);
        }
        size_t blanks = strspn(entry.at, " \t");
        entry.at += blanks;
        entry.len -= blanks;
        FSIM_TRY(read_entry(entry, &s->entry[s->count], err));
        s->count++;
    }
    return FSIM_OK;
}

/* ---- what holds ---- */

/* The highest bit of `set` up to bit `top`; -1: none. */
static int64_t highest(uint64_t set, int64_t top) {
    if (top < 0) {
        return -1;
    }
    set &= top >= 63 ? UINT64_MAX : (UINT64_C(2) << top) - 1u;
    return set == 0 ? -1 : 63 - __builtin_clzll(set);
}

/* The last minute of the entry's day up to `minute`; -1: none. */
static int64_t last_of_day(const fsim_schedule_entry *e, int64_t minute) {
    int64_t hour = highest(e->hours, minute / 60);
    if (hour == minute / 60) {
        int64_t last = highest(e->minutes, minute % 60);
        if (last >= 0) {
            return hour * 60 + last;
        }
        hour = highest(e->hours, hour - 1);
    }
    return hour < 0 ? -1 : hour * 60 + highest(e->minutes, 59);
}

/* Minutes from the entry's last time to now, which is now_min after the week began; WEEK_MIN at most. */
static int64_t age_of(const fsim_schedule_entry *e, int64_t now_min) {
    for (int64_t back = 0; back <= 7; back++) {
        int64_t day = (now_min / DAY_MIN - back + 7) % 7;
        int64_t last = last_of_day(e, back == 0 ? now_min % DAY_MIN : DAY_MIN - 1);
        if ((e->days >> day & 1u) != 0 && last >= 0) {
            return back * DAY_MIN + now_min % DAY_MIN - last;
        }
    }
    return WEEK_MIN;
}

void fsim_schedule_at(const fsim_schedule *s, fsim_ns now_ns, int64_t *least, int64_t *most) {
    int64_t minutes = now_ns / MINUTE_NS, now_min = (s->begins_min + minutes) % WEEK_MIN;
    int64_t least_age = INT64_MAX, most_age = INT64_MAX;
    for (uint32_t i = 0; i < s->count; i++) {
        const fsim_schedule_entry *e = &s->entry[i];
        if (e->once && e->at_ns > now_ns) {
            continue;
        }
        int64_t age = e->once ? minutes - e->at_ns / MINUTE_NS : age_of(e, now_min);
        if (e->least != FSIM_SCHEDULE_OPEN && age <= least_age) {
            *least = e->least;
            least_age = age;
        }
        if (e->most != FSIM_SCHEDULE_OPEN && age <= most_age) {
            *most = e->most;
            most_age = age;
        }
    }
}
