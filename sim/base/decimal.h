/* Exact numbers for money: 128-bit integers, fractions of them, and their decimal spelling. No floating point
 * anywhere.
 *
 * Prices are decimal strings of at most 12 decimals and become whole pico-units (1e-12 of the currency);
 * quantities are fractions (1 MiB-ms is 1/1024000 GB-s); a line of a bill is their product, divided once
 * (billing spec, section 2.2). Every operation checks for overflow and says so instead of wrapping round.
 * Cost: a division or two, never in the hot loop. */
#ifndef FSIM_BASE_DECIMAL_H
#define FSIM_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 fsim_i128;
__extension__ typedef unsigned __int128 fsim_u128;

#define FSIM_PICO        INT64_C(1000000000000) /* pico-units in one */
#define FSIM_PICO_DIGITS 12
/* Longest spelling: sign, 39 digits, point, terminating zero. */
#define FSIM_DECIMAL_SIZE 48

typedef enum fsim_rounding {
    FSIM_ROUND_HALF_UP,   /* halves away from zero: how bills are shown */
    FSIM_ROUND_HALF_EVEN, /* halves to the even neighbour */
    FSIM_ROUND_UP         /* towards plus infinity: blocks, started milliseconds */
} fsim_rounding;

/* A fraction in lowest terms, den > 0. {0, 1} is zero; the zero-initialised one is not valid. */
typedef struct fsim_ratio {
    fsim_i128 num, den;
} fsim_ratio;

/* All of these: false means that the result does not fit into 128 bits (or a division by zero), *out is then
 * untouched. */
bool fsim_i128_add(fsim_i128 a, fsim_i128 b, fsim_i128 *out);
bool fsim_i128_mul(fsim_i128 a, fsim_i128 b, fsim_i128 *out);
/* num / den, den > 0. */
bool fsim_i128_divide(fsim_i128 num, fsim_i128 den, fsim_rounding rounding, fsim_i128 *out);

bool fsim_ratio_make(fsim_i128 num, fsim_i128 den, fsim_ratio *out); /* den != 0; reduces */
bool fsim_ratio_add(fsim_ratio a, fsim_ratio b, fsim_ratio *out);
bool fsim_ratio_sub(fsim_ratio a, fsim_ratio b, fsim_ratio *out);
bool fsim_ratio_mul(fsim_ratio a, fsim_ratio b, fsim_ratio *out);
bool fsim_ratio_div(fsim_ratio a, fsim_ratio b, fsim_ratio *out);
bool fsim_ratio_compare(fsim_ratio a, fsim_ratio b, int *sign); /* sign of a - b */
/* Nearest multiple of `step` (> 0), or the next one for FSIM_ROUND_UP. */
bool fsim_ratio_round_to(fsim_ratio value, fsim_ratio step, fsim_rounding rounding, fsim_ratio *out);
/* Whole pico-units of the value: the one division of a line. */
bool fsim_ratio_to_pico(fsim_ratio value, fsim_rounding rounding, fsim_i128 *pico);

/* Reads [-]digits[.digits], nothing else, no exponent: "0.0000166667". False: not that, more than 12 decimals
 * that are not zero, or too large. */
bool fsim_decimal_parse_pico(const char *text, fsim_i128 *pico);
bool fsim_decimal_parse_ratio(const char *text, fsim_ratio *out);

/* Shortest exact spelling, no trailing zeros: 2733338000000 pico-units are "2.733338", 0 is "0". Returns out.
 */
char *fsim_decimal_print_pico(fsim_i128 pico, char *out, size_t size);
/* With exactly `places` (0..12) decimals, rounded: ("2.733338", 2) gives "2.73". */
char *fsim_decimal_print_places(fsim_i128 pico, int places, fsim_rounding rounding, char *out, size_t size);
/* The fraction to 12 decimals (half up), shortest spelling; "overflow" if it does not fit. */
char *fsim_decimal_print_ratio(fsim_ratio value, char *out, size_t size);
/* A whole number. */
char *fsim_i128_print(fsim_i128 value, char *out, size_t size);

#endif
