#include "base/spell.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 12 };

/* "00" "01" … "99": two digits a division. */
static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414"
    "2434445464748495051525354555657585960616263646566676869707172737475767778798081828384"
    "858687888990919293949596979899";

char *fsim_spell_digits(char *at, uint64_t value) {
    char text[20];
    char *first = text + sizeof text;
    while (value >= 100) {
        first -= 2;
        memcpy(first, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, pairs + 2 * value, 2);
    } else {
        *--first = (char)('0' + value);
    }
    size_t len = (size_t)(text + sizeof text - first);
    memcpy(at, first, len);
    return at + len;
}

static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* value / 10^places, as fsim_spell_fixed, with up to 15 places. */
static char *put_places(char *at, uint64_t value, int places) {
    uint64_t scale = (uint64_t)tens[places];
    uint64_t whole = value / scale, rest = value - whole * scale;
    at = fsim_spell_digits(at, whole);
    if (rest == 0) {
        return at;
    }
    *at++ = '.';
    for (int i = places; i > 0; i--) {
        at[i - 1] = (char)('0' + rest % 10);
        rest /= 10;
    }
    at += places;
    while (at[-1] == '0') {
        at--;
    }
    return at;
}

char *fsim_spell_fixed(char *at, int64_t value, int places) {
    return put_places(at, (uint64_t)value, places);
}

/* Twelve digits of a value in [1e-4, 999999999999], where printf writes no exponent: value x 10^places is a
 * 53-bit number times a power of ten below 2^50 over a power of two, which 128 bits hold exactly. */
static char *put_twelve(char *at, double value) {
    int power, exponent = -4;
    while (value >= (exponent < 0 ? 1.0 / tens[-exponent - 1] : tens[exponent + 1])) {
        exponent++;
    }
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &power), 53);
    int places = DIGITS - 1 - exponent, shift = 53 - power;
    fsim_u128 scaled = (fsim_u128)mantissa * (uint64_t)tens[places];
    uint64_t digits = (uint64_t)(scaled >> shift);
    fsim_u128 rest = scaled & (((fsim_u128)1 << shift) - 1u), half = (fsim_u128)1 << (shift - 1);
    digits += rest > half || (rest == half && (digits & 1u) != 0);
    return put_places(at, digits, places);
}

char *fsim_spell_real(char *at, double value) {
    if (value == 0.0 && !signbit(value)) {
        *at = '0';
        return at + 1;
    }
    if (value >= 1e-4 && value <= 999999999999.0) {
        return put_twelve(at, value);
    }
    return at + snprintf(at, FSIM_SPELL_MAX, "%.12g", value);
}
