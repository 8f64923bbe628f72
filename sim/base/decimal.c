/* Overflow is checked by division rather than by the compilers' builtins: clang's need a run-time library for
 * 128 bits that is not always there, and no caller is in a hot loop. */
#include "base/decimal.h"

#include <stdio.h>
#include <string.h>

#define I128_MAX ((fsim_i128)(~(fsim_u128)0 >> 1))

static fsim_u128 magnitude(fsim_i128 a) {
    return a < 0 ? -(fsim_u128)a : (fsim_u128)a;
}

static fsim_u128 gcd(fsim_u128 a, fsim_u128 b) {
    while (b != 0) {
        fsim_u128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool fsim_i128_add(fsim_i128 a, fsim_i128 b, fsim_i128 *out) {
    if ((b > 0 && a > I128_MAX - b) || (b < 0 && a < -I128_MAX - b)) {
        return false;
    }
    *out = a + b;
    return true;
}

bool fsim_i128_mul(fsim_i128 a, fsim_i128 b, fsim_i128 *out) {
    fsim_u128 x = magnitude(a), y = magnitude(b);
    bool small = (x | y) >> 63 == 0; /* a division is dear */
    if (!small && x != 0 && y > (fsim_u128)I128_MAX / x) {
        return false;
    }
    fsim_i128 product = (fsim_i128)(x * y);
    *out = (a < 0) != (b < 0) ? -product : product;
    return true;
}

bool fsim_i128_divide(fsim_i128 num, fsim_i128 den, fsim_rounding rounding, fsim_i128 *out) {
    if (den <= 0) {
        return false;
    }
    fsim_i128 quotient = num / den, rest = num % den; /* towards zero; rest has the sign of num */
    fsim_u128 left = magnitude(rest),
              gap = (fsim_u128)den - left; /* left against gap: below, at or above a half */
    bool away = false;
    switch (rounding) {
    case FSIM_ROUND_HALF_UP: away = left >= gap; break;
    case FSIM_ROUND_HALF_EVEN: away = left > gap || (left == gap && quotient % 2 != 0); break;
    case FSIM_ROUND_UP: away = rest > 0; break;
    }
    if (away && rest != 0) {
        quotient += num < 0 ? -1 : 1;
    }
    *out = quotient;
    return true;
}

bool fsim_ratio_make(fsim_i128 num, fsim_i128 den, fsim_ratio *out) {
    if (den == 0 || num < -I128_MAX || den < -I128_MAX) {
        return false;
    }
    if (den < 0) {
        num = -num;
        den = -den;
    }
    fsim_i128 common = (fsim_i128)gcd(magnitude(num), (fsim_u128)den);
    *out = (fsim_ratio){num / common, den / common};
    return true;
}

/* Sums over many functions are mostly of whole numbers, which need no common divisor. */
static bool are_whole(fsim_ratio a, fsim_ratio b) {
    return a.den == 1 && b.den == 1;
}

static bool make_whole(fsim_i128 num, fsim_ratio *out) {
    *out = (fsim_ratio){num, 1};
    return num >= -I128_MAX;
}

bool fsim_ratio_add(fsim_ratio a, fsim_ratio b, fsim_ratio *out) {
    fsim_i128 whole;
    if (are_whole(a, b)) {
        return fsim_i128_add(a.num, b.num, &whole) && make_whole(whole, out);
    }
    fsim_i128 common = (fsim_i128)gcd((fsim_u128)a.den, (fsim_u128)b.den);
    fsim_i128 left, right, sum, den;
    return fsim_i128_mul(a.num, b.den / common, &left) && fsim_i128_mul(b.num, a.den / common, &right) &&
           fsim_i128_add(left, right, &sum) && fsim_i128_mul(a.den / common, b.den, &den) &&
           fsim_ratio_make(sum, den, out);
}

bool fsim_ratio_sub(fsim_ratio a, fsim_ratio b, fsim_ratio *out) {
    return fsim_ratio_add(a, (fsim_ratio){-b.num, b.den}, out);
}

bool fsim_ratio_mul(fsim_ratio a, fsim_ratio b, fsim_ratio *out) {
    fsim_i128 whole;
    if (are_whole(a, b)) {
        return fsim_i128_mul(a.num, b.num, &whole) && make_whole(whole, out);
    }
    fsim_i128 one = (fsim_i128)gcd(magnitude(a.num), (fsim_u128)b.den);
    fsim_i128 other = (fsim_i128)gcd(magnitude(b.num), (fsim_u128)a.den);
    fsim_i128 num, den;
    return fsim_i128_mul(a.num / one, b.num / other, &num) &&
           fsim_i128_mul(a.den / other, b.den / one, &den) && fsim_ratio_make(num, den, out);
}

bool fsim_ratio_div(fsim_ratio a, fsim_ratio b, fsim_ratio *out) {
    fsim_ratio inverse;
    return b.num != 0 && fsim_ratio_make(b.den, b.num, &inverse) && fsim_ratio_mul(a, inverse, out);
}

bool fsim_ratio_compare(fsim_ratio a, fsim_ratio b, int *sign) {
    fsim_ratio difference;
    if (!fsim_ratio_sub(a, b, &difference)) {
        return false;
    }
    *sign = (difference.num > 0) - (difference.num < 0);
    return true;
}

bool fsim_ratio_round_to(fsim_ratio value, fsim_ratio step, fsim_rounding rounding, fsim_ratio *out) {
    fsim_ratio steps;
    fsim_i128 whole;
    return step.num > 0 && fsim_ratio_div(value, step, &steps) &&
           fsim_i128_divide(steps.num, steps.den, rounding, &whole) &&
           fsim_ratio_mul((fsim_ratio){whole, 1}, step, out);
}

bool fsim_ratio_to_pico(fsim_ratio value, fsim_rounding rounding, fsim_i128 *pico) {
    /* Whole part and rest apart: neither product is larger than it has to be. */
    fsim_i128 whole, rest;
    fsim_ratio part;
    return fsim_i128_mul(value.num / value.den, FSIM_PICO, &whole) &&
           fsim_ratio_mul((fsim_ratio){value.num % value.den, value.den}, (fsim_ratio){FSIM_PICO, 1},
                          &part) &&
           fsim_i128_divide(part.num, part.den, rounding, &rest) && fsim_i128_add(whole, rest, pico);
}

bool fsim_decimal_parse_pico(const char *text, fsim_i128 *pico) {
    bool negative = *text == '-';
    fsim_i128 value = 0;
    int decimals = -1; /* -1: before the point */
    const char *at = text + negative;
    if (*at < '0' || *at > '9') {
        return false;
    }
    for (; *at != '\0'; at++) {
        if (*at == '.' && decimals < 0 && at[1] != '\0') {
            decimals = 0;
            continue;
        }
        if (*at < '0' || *at > '9') {
            return false;
        }
        if (decimals == FSIM_PICO_DIGITS) {
            if (*at != '0') {
                return false;
            }
            continue;
        }
        if (!fsim_i128_mul(value, 10, &value) || !fsim_i128_add(value, *at - '0', &value)) {
            return false;
        }
        decimals += decimals >= 0;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < FSIM_PICO_DIGITS; i++) {
        if (!fsim_i128_mul(value, 10, &value)) {
            return false;
        }
    }
    *pico = negative ? -value : value;
    return true;
}

bool fsim_decimal_parse_ratio(const char *text, fsim_ratio *out) {
    fsim_i128 pico;
    return fsim_decimal_parse_pico(text, &pico) && fsim_ratio_make(pico, FSIM_PICO, out);
}

char *fsim_i128_print(fsim_i128 value, char *out, size_t size) {
    char digits[FSIM_DECIMAL_SIZE];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    fsim_u128 rest = magnitude(value);
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *--at = '-';
    }
    snprintf(out, size, "%s", at);
    return out;
}

/* `scaled` units of 10^-places. */
static char *print_scaled(fsim_i128 scaled, int places, bool trim, char *out, size_t size) {
    fsim_u128 one = 1;
    for (int i = 0; i < places; i++) {
        one *= 10;
    }
    fsim_u128 value = magnitude(scaled);
    char whole[FSIM_DECIMAL_SIZE], fraction[FSIM_PICO_DIGITS + 2];
    fsim_i128_print((fsim_i128)(value / one), whole, sizeof whole);
    int64_t rest = (int64_t)(value % one);
    snprintf(fraction, sizeof fraction, ".%0*lld", places, (long long)rest);
    size_t length = places == 0 ? 0 : strlen(fraction);
    while (trim && length > 0 && (fraction[length - 1] == '0' || fraction[length - 1] == '.')) {
        length--;
    }
    snprintf(out, size, "%s%s%.*s", scaled < 0 ? "-" : "", whole, (int)length, fraction);
    return out;
}

char *fsim_decimal_print_pico(fsim_i128 pico, char *out, size_t size) {
    return print_scaled(pico, FSIM_PICO_DIGITS, true, out, size);
}

char *fsim_decimal_print_places(fsim_i128 pico, int places, fsim_rounding rounding, char *out, size_t size) {
    fsim_i128 unit = 1, scaled = 0;
    for (int i = places; i < FSIM_PICO_DIGITS; i++) {
        unit *= 10;
    }
    fsim_i128_divide(pico, unit, rounding, &scaled);
    return print_scaled(scaled, places, false, out, size);
}

char *fsim_decimal_print_ratio(fsim_ratio value, char *out, size_t size) {
    fsim_i128 pico;
    if (!fsim_ratio_to_pico(value, FSIM_ROUND_HALF_UP, &pico)) {
        snprintf(out, size, "overflow");
        return out;
    }
    return fsim_decimal_print_pico(pico, out, size);
}
