/* Instants cut into equal slots: slot k covers [k * slot_ns, (k + 1) * slot_ns). */
#ifndef FSIM_AUTOSCALE_TIME_SLOT_H
#define FSIM_AUTOSCALE_TIME_SLOT_H

#include "base/time.h"

/* The slot an instant lies in; slot_ns > 0. Rounds down before 0 too. */
static inline int64_t fsim_time_slot(fsim_ns at_ns, fsim_ns slot_ns) {
    int64_t slot = at_ns / slot_ns;
    return slot * slot_ns > at_ns ? slot - 1 : slot;
}

/* Slots needed to cover a span > 0: rounded up. */
static inline int64_t fsim_time_slots(fsim_ns span_ns, fsim_ns slot_ns) {
    return span_ns / slot_ns + (span_ns % slot_ns != 0);
}

#endif
