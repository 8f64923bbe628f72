/* Where two ways to pay cost the same: roots of the difference of two cost functions, exact in fractions, by
 * bisection on a grid of 1e-12. Nothing is scanned: the caller says where the functions may bend. */
#ifndef FSIM_BILLING_BREAKEVEN_H
#define FSIM_BILLING_BREAKEVEN_H

#include "base/decimal.h"

/* The cost at x >= 0; false: a number does not fit into 128 bits. */
typedef struct fsim_cost {
    bool (*at)(const void *user, fsim_ratio x, fsim_ratio *cost);
    const void *user;
} fsim_cost;

/* The x in [low, high] where `a` and `b` cost the same, to the nearest 1e-12 and exact where it lies on that
 * grid. low and high must lie on it too. *found is false where one of them is the cheaper on both ends (or
 * they are the same on the whole). The difference must change its sign at most once in between. False: too
 * large. About 80 evaluations of each. */
bool fsim_breakeven_solve(fsim_cost a, fsim_cost b, fsim_ratio low, fsim_ratio high, fsim_ratio *x,
                          bool *found);

#endif
