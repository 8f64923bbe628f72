/* Numbers as decimal text, the fast way: for what is written by the million. Each puts its characters at `at`
 * without a final NUL and returns their end. */
#ifndef FSIM_BASE_SPELL_H
#define FSIM_BASE_SPELL_H

#include <stdint.h>

enum { FSIM_SPELL_MAX = 32 }; /* characters that one number needs at most */

/* Unsigned decimal digits: at most 20. */
char *fsim_spell_digits(char *at, uint64_t value);
/* value / 10^places exactly, without trailing zeros: (1500000, 6) is "1.5". value >= 0, 1 <= places <= 9. */
char *fsim_spell_fixed(char *at, int64_t value, int places);
/* What printf makes of "%.12g" in the locale "C". */
char *fsim_spell_real(char *at, double value);

#endif
