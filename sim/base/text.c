/* Quantities as text; see text.h. Decimal arithmetic is done on integers, so that "0.1s" is 100,000,000 ns
 * and not a rounded double, on every compiler and in every locale. */
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

typedef struct unit {
    const char *name;
    int64_t scale;
} unit;

static const unit span_units[] = {
    {"ns", 1},          {"us", FSIM_US},  {"ms", FSIM_MS}, {"s", FSIM_SECOND},  {"min", FSIM_MINUTE},
    {"m", FSIM_MINUTE}, {"h", FSIM_HOUR}, {"d", FSIM_DAY}, {"w", 7 * FSIM_DAY}, {NULL, 0},
};

#define KIB INT64_C(1024)
static const unit size_units[] = {
    {"B", 1},
    {"KB", KIB},
    {"MB", KIB *KIB},
    {"GB", KIB *KIB *KIB},
    {"TB", KIB *KIB *KIB *KIB},
    {"KiB", KIB},
    {"MiB", KIB *KIB},
    {"GiB", KIB *KIB *KIB},
    {"TiB", KIB *KIB *KIB *KIB},
    {NULL, 0},
};

static const unit count_units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};

static const uint64_t powers_of_ten[20] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    UINT64_C(10000000000000000000),
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* An unsigned decimal: mantissa * 10^exponent. Digits beyond the 23rd significant one are dropped: with the
 * largest unit (a week) the product still fits 128 bits, and they are far below the last nanosecond. */
typedef struct decimal {
    u128 mantissa;
    int exponent;
} decimal;

#define DIGITS_MAX   23
#define EXPONENT_MAX 10000

/* Reads the decimal that starts `text`; returns its length, 0 when there is none. */
static size_t scan_decimal(const char *text, size_t len, decimal *out) {
    size_t i = 0;
    int digits = 0, seen = 0, exponent = 0;
    bool point = false;
    u128 mantissa = 0;
    for (; i < len && (is_digit(text[i]) || (text[i] == '.' && !point)); i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        seen++;
        if (digits < DIGITS_MAX) {
            mantissa = mantissa * 10u + (unsigned)(text[i] - '0');
            digits += mantissa != 0;
            exponent -= point;
        } else if (!point) {
            exponent += exponent < EXPONENT_MAX;
        }
    }
    if (seen == 0 || text[i - 1] == '.') {
        return 0;
    }
    if (i < len && (text[i] == 'e' || text[i] == 'E')) {
        size_t j = i + 1;
        bool negative = j < len && text[j] == '-';
        j += j < len && (text[j] == '-' || text[j] == '+');
        int power = 0;
        size_t first = j;
        for (; j < len && is_digit(text[j]); j++) {
            power = power > EXPONENT_MAX ? power : power * 10 + (text[j] - '0');
        }
        if (j == first) {
            return 0;
        }
        exponent += negative ? -power : power;
        i = j;
    }
    *out = (decimal){mantissa, exponent};
    return i;
}

/* value * unit, to the nearest whole number, halves up; false at or beyond 2^63 - 1. */
static bool scale_decimal(decimal value, int64_t scale, int64_t *out) {
    u128 product = value.mantissa * (u128)(uint64_t)scale;
    int exponent = value.exponent;
    for (; exponent > 0 && product != 0; exponent--) {
        if (product >= (u128)INT64_MAX) {
            return false;
        }
        product *= 10u;
    }
    if (exponent < -38) {
        product = 0; /* product < 2^127 < 10^38.3: less than a half */
    } else if (exponent < 0) {
        u128 divisor = 1;
        for (; exponent < 0; exponent++) {
            divisor *= 10u;
        }
        u128 rest = product % divisor;
        product = product / divisor + (rest >= divisor - rest);
    }
    if (product >= (u128)INT64_MAX) {
        return false;
    }
    *out = (int64_t)product;
    return true;
}

/* The commonest cell of a trace, "123.456" with a decimal unit, needs one multiplication and no 128-bit
 * division. */
static bool scale_short(const char *text, size_t len, int64_t unit_ns, fsim_ns *out) {
    uint64_t mantissa = 0;
    size_t i = 0, fraction = 0;
    for (; i < len && is_digit(text[i]); i++) {
        mantissa = mantissa * 10u + (unsigned)(text[i] - '0');
    }
    if (i == 0) {
        return false;
    }
    if (i < len && text[i] == '.') {
        size_t point = i++;
        for (; i < len && is_digit(text[i]); i++) {
            mantissa = mantissa * 10u + (unsigned)(text[i] - '0');
        }
        fraction = i - point - 1;
        if (fraction == 0) {
            return false;
        }
    }
    size_t unit_digits = unit_ns == FSIM_SECOND ? 9 : unit_ns == FSIM_MS ? 6 : unit_ns == FSIM_US ? 3 : 0;
    if (i != len || fraction > unit_digits) {
        return false;
    }
    u128 ns = (u128)mantissa * powers_of_ten[unit_digits - fraction];
    if (ns >= (u128)INT64_MAX) {
        return false;
    }
    *out = (fsim_ns)ns;
    return true;
}

bool fsim_text_parse_scaled_ns(const char *text, size_t len, int64_t unit_ns, fsim_ns *out) {
    bool decimal_unit = unit_ns == FSIM_SECOND || unit_ns == FSIM_MS || unit_ns == FSIM_US || unit_ns == 1;
    if (len <= 19 && decimal_unit && scale_short(text, len, unit_ns, out)) {
        return true;
    }
    decimal value;
    return scan_decimal(text, len, &value) == len && len > 0 && scale_decimal(value, unit_ns, out);
}

static bool parse_with_unit(const char *text, const unit *units, int64_t *out, bool *whole) {
    decimal value;
    size_t used = scan_decimal(text, strlen(text), &value);
    if (used == 0) {
        return false;
    }
    for (const unit *u = units; u->name != NULL; u++) {
        if (strcmp(text + used, u->name) == 0) {
            int64_t finer = 0;
            bool fits = scale_decimal(value, u->scale, out);
            decimal tenth = {value.mantissa, value.exponent + 1};
            *whole = fits && (!scale_decimal(tenth, u->scale, &finer) || finer % 10 == 0);
            return fits;
        }
    }
    return false;
}

bool fsim_text_parse_span(const char *text, fsim_ns *out) {
    bool whole;
    if (strcmp(text, "0") == 0) {
        *out = 0;
        return true;
    }
    return parse_with_unit(text, span_units, out, &whole);
}

bool fsim_text_parse_size(const char *text, int64_t *bytes) {
    bool whole;
    return parse_with_unit(text, size_units, bytes, &whole);
}

bool fsim_text_parse_count(const char *text, int64_t *count) {
    bool whole;
    return parse_with_unit(text, count_units, count, &whole) && whole;
}

bool fsim_text_parse_real(const char *text, double *out) {
    decimal value;
    size_t sign = text[0] == '-';
    size_t used = scan_decimal(text + sign, strlen(text + sign), &value);
    if (used == 0 || text[sign + used] != '\0') {
        return false;
    }
    /* The checked grammar is read in the C locale: a decimal comma elsewhere in the program must not matter.
     */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return false;
    }
    double real = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(real)) {
        return false;
    }
    *out = real;
    return true;
}

/* Writes span / scale exactly with at most 9 decimals; false when that is not exact. */
static bool print_exact(fsim_ns span, const unit *u, char *out, size_t size) {
    uint64_t scale = (uint64_t)u->scale;
    uint64_t rest = (uint64_t)span % scale;
    char fraction[12] = "";
    size_t digits = 0;
    for (; rest != 0 && digits < 9; digits++) {
        fraction[digits + 1] = (char)('0' + rest * 10u / scale);
        rest = rest * 10u % scale;
    }
    if (rest != 0) {
        return false;
    }
    fraction[0] = digits > 0 ? '.' : '\0';
    fraction[digits > 0 ? digits + 1 : 0] = '\0';
    snprintf(out, size, "%" PRIu64 "%s%s", (uint64_t)span / scale, fraction, u->name);
    return true;
}

void fsim_text_print_span(fsim_ns span, char *out, size_t size) {
    if (span == FSIM_NEVER || span == 0) {
        snprintf(out, size, "%s", span == 0 ? "0s" : "none");
        return;
    }
    const char *sign = span < 0 ? "-" : "";
    fsim_ns length = span < 0 ? -(span + 1) + 1 : span;
    char best[48] = "", candidate[48];
    for (const unit *u = span_units; u->name != NULL; u++) {
        if (strcmp(u->name, "min") == 0 || strcmp(u->name, "w") == 0) {
            continue;
        }
        if (!print_exact(length, u, candidate, sizeof candidate)) {
            continue;
        }
        /* Shortest wins; of equally short ones the larger unit, but "250ms" before "0.25s". */
        size_t now = strlen(candidate), then = strlen(best);
        bool plain = strchr(candidate, '.') == NULL || strchr(best, '.') != NULL;
        if (best[0] == '\0' || now < then || (now == then && plain)) {
            memcpy(best, candidate, sizeof best);
        }
    }
    snprintf(out, size, "%s%s", sign, best);
}

static void print_digits(double value, const char *name, char *out, size_t size) {
    int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, size, "%.*f %s", decimals, value, name);
}

void fsim_text_human_span(double seconds, char *out, size_t size) {
    if (!isfinite(seconds) || seconds < 0) {
        snprintf(out, size, "-");
    } else if (seconds == 0) {
        snprintf(out, size, "0 s");
    } else if (seconds < 0.9995e-6) {
        print_digits(seconds * 1e9, "ns", out, size);
    } else if (seconds < 0.9995e-3) {
        print_digits(seconds * 1e6, "us", out, size);
    } else if (seconds < 0.9995) {
        print_digits(seconds * 1e3, "ms", out, size);
    } else if (seconds < 59.95) {
        print_digits(seconds, "s", out, size);
    } else if (seconds < 3599.5) {
        int64_t whole = (int64_t)(seconds + 0.5);
        snprintf(out, size, "%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
    } else if (seconds < 48 * 3600.0 - 30) {
        int64_t minutes = (int64_t)(seconds / 60 + 0.5);
        snprintf(out, size, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
    } else {
        int64_t hours = (int64_t)(fmin(seconds, 9e18) / 3600 + 0.5);
        snprintf(out, size, "%" PRId64 " d %" PRId64 " h", hours / 24, hours % 24);
    }
}

void fsim_text_grouped(int64_t value, char *out, size_t size) {
    char digits[24], grouped[40];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    size_t len = strlen(digits), put = 0;
    size_t sign = digits[0] == '-';
    for (size_t i = 0; i < len; i++) {
        if (i > sign && (len - i) % 3 == 0) {
            grouped[put++] = ',';
        }
        grouped[put++] = digits[i];
    }
    grouped[put] = '\0';
    snprintf(out, size, "%s", grouped);
}

#define NEAREST_MAX 64

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours; case is free) from a to b: optimal string alignment. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    unsigned row[3][NEAREST_MAX + 1];
    unsigned *before = row[0], *above = row[1], *now = row[2];
    for (size_t j = 0; j <= b_len; j++) {
        above[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = (unsigned)i;
        int here = tolower((unsigned char)a[i - 1]);
        for (size_t j = 1; j <= b_len; j++) {
            int there = tolower((unsigned char)b[j - 1]);
            now[j] = least(least(above[j], now[j - 1]) + 1, above[j - 1] + (here != there));
            if (i > 1 && j > 1 && here == tolower((unsigned char)b[j - 2]) &&
                there == tolower((unsigned char)a[i - 2])) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
        unsigned *spare = before;
        before = above;
        above = now;
        now = spare;
    }
    return above[b_len];
}

const char *fsim_text_nearest(const char *text, const char *const *names) {
    const char *best = NULL;
    unsigned best_distance = UINT32_MAX;
    size_t len = strlen(text);
    if (len == 0 || len > NEAREST_MAX || names == NULL) {
        return NULL;
    }
    for (; *names != NULL; names++) {
        size_t name_len = strlen(*names);
        if (name_len == 0 || name_len > NEAREST_MAX) {
            continue;
        }
        unsigned distance = edit_distance(text, len, *names, name_len);
        size_t longer = len > name_len ? len : name_len;
        if (distance < best_distance && 3u * distance <= longer) {
            best = *names;
            best_distance = distance;
        }
    }
    return best;
}
