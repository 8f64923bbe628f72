/* Functions of a few instructions that the loops of the kernel are made of: inlined into each of them,
 * however large it is already. */
#ifndef FSIM_BASE_INLINE_H
#define FSIM_BASE_INLINE_H

#define FSIM_INLINE static inline __attribute__((always_inline))

#endif
