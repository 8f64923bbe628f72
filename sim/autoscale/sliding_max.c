#include "autoscale/sliding_max.h"

#include "autoscale/time_slot.h"
#include "base/error.h"

static fsim_sliding_max_entry *entry_at(const fsim_sliding_max *m, int64_t index) {
    return &m->entries[(m->head + index) % m->capacity];
}

static void drop_older(fsim_sliding_max *m, int64_t newest) {
    while (m->count > 0 && newest - entry_at(m, 0)->slot >= m->slots) {
        m->head = (m->head + 1) % m->capacity;
        m->count--;
    }
}

int64_t fsim_sliding_max_slots(fsim_ns span_ns, fsim_ns slot_ns) {
    return fsim_time_slots(span_ns, slot_ns);
}

void fsim_sliding_max_init(fsim_sliding_max *m, fsim_sliding_max_entry *entries, int64_t capacity,
                           int64_t slots, fsim_ns slot_ns) {
    fsim_assert(slots >= 1 && slots <= capacity && slot_ns > 0);
    *m = (fsim_sliding_max){.entries = entries, .capacity = capacity, .slots = slots, .slot_ns = slot_ns};
}

void fsim_sliding_max_record(fsim_sliding_max *m, int64_t slot, double value) {
    if (m->count > 0 && slot < entry_at(m, m->count - 1)->slot) {
        slot = entry_at(m, m->count - 1)->slot;
    }
    /* What is not larger than a newer value can never be the maximum again. */
    while (m->count > 0 && entry_at(m, m->count - 1)->value <= value) {
        m->count--;
    }
    drop_older(m, slot);
    if (m->count > 0 && entry_at(m, m->count - 1)->slot == slot) {
        return;
    }
    *entry_at(m, m->count) = (fsim_sliding_max_entry){slot, value};
    m->count++;
}

void fsim_sliding_max_record_at(fsim_sliding_max *m, fsim_ns at_ns, double value) {
    fsim_sliding_max_record(m, fsim_time_slot(at_ns, m->slot_ns), value);
}

double fsim_sliding_max_current(const fsim_sliding_max *m) {
    return m->count == 0 ? 0.0 : entry_at(m, 0)->value;
}

bool fsim_sliding_max_resize(fsim_sliding_max *m, int64_t slots) {
    fsim_assert(slots >= 1);
    if (slots > m->capacity) {
        return false;
    }
    m->slots = slots;
    if (m->count > 0) {
        drop_older(m, entry_at(m, m->count - 1)->slot);
    }
    return true;
}
