/* Functions of a few instructions that the loops of the kernel are made of: inlined into each of them,
 * however large it is already. */
#ifndef FSIM_BASE_INLINE_H
#define FSIM_BASE_INLINE_H

#define FSIM_INLINE static inline __attribute__((always_inline))

/* What nearly every step does: the loops of the kernel have many ways out, and which of them matter only we
 * know. It decides what stays in registers. */
#define FSIM_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define FSIM_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
