#include "billing/breakeven.h"

#define GRID FSIM_PICO

/* Sign of a - b at step / (scale * GRID). */
static bool sign_at(const fsim_cost *a, const fsim_cost *b, fsim_i128 step, int64_t scale, int *sign) {
    fsim_ratio x, left, right;
    return fsim_ratio_make(step, (fsim_i128)GRID * scale, &x) && a->at(a->user, x, &left) &&
           b->at(b->user, x, &right) && fsim_ratio_compare(left, right, sign);
}

bool fsim_breakeven_solve(fsim_cost a, fsim_cost b, fsim_ratio low, fsim_ratio high, fsim_ratio *x,
                          bool *found) {
    fsim_i128 from, to;
    int at_from, at_to, at;
    *found = false;
    if (!fsim_ratio_to_pico(low, FSIM_ROUND_HALF_UP, &from) ||
        !fsim_ratio_to_pico(high, FSIM_ROUND_HALF_UP, &to) || !sign_at(&a, &b, from, 1, &at_from) ||
        !sign_at(&a, &b, to, 1, &at_to)) {
        return false;
    }
    if (at_from == 0 || at_to == 0) {
        *found = at_from != at_to;
        return fsim_ratio_make(at_to == 0 ? to : from, GRID, x);
    }
    if (at_from == at_to) {
        return true;
    }
    while (to - from > 1) {
        fsim_i128 middle = from + (to - from) / 2;
        if (!sign_at(&a, &b, middle, 1, &at)) {
            return false;
        }
        if (at == 0) {
            from = to = middle;
        } else if (at == at_from) {
            from = middle;
        } else {
            to = middle;
        }
    }
    *found = true;
    if (from != to) { /* the nearer of the two */
        if (!sign_at(&a, &b, from + to, 2, &at)) {
            return false;
        }
        from = at == at_from ? to : from;
    }
    return fsim_ratio_make(from, GRID, x);
}
