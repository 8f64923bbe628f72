/* Closing of CPU windows; the per-request part is inline in meter.h. */
#include "billing/meter.h"

static bool active_by(const fsim_threshold *threshold, const fsim_cpu_rule *rule, const fsim_usage *usage,
                      uint64_t cpu, uint64_t resident_ns) {
    const fsim_cpu_rule other = {.window_ns = rule->window_ns,
                                 .limit = threshold->ppm * (usage->vcpu_milli * (FSIM_UCORE / 1000)),
                                 .full_window = threshold->full_window,
                                 .above = threshold->above};
    return fsim_cpu_rule_active(&other, cpu, resident_ns);
}

/* ---- further thresholds ---- */

static void decide_more(const fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                        uint64_t open_part_ns) {
    fsim_cpu_carry *carry = &rule->more->slots[m->slot];
    for (uint32_t k = 0; k < rule->more->count; k++) {
        if (active_by(&rule->more->threshold[k], rule, usage, m->cpu, m->resident_ns)) {
            usage->threshold_more_ms[k] += m->pending_ms + (uint64_t)carry->differs_ms[k];
            carry->carry_ns[k] += open_part_ns;
        }
        carry->differs_ms[k] = 0;
    }
}

/* `whole` windows at a constant rate of `each` per window. */
static void pass_more(const fsim_cpu_meter *m, const fsim_cpu_rule *rule, const fsim_usage *usage,
                      uint64_t each, uint64_t whole) {
    fsim_cpu_carry *carry = &rule->more->slots[m->slot];
    for (uint32_t k = 0; k < rule->more->count; k++) {
        if (active_by(&rule->more->threshold[k], rule, usage, each, rule->window_ns)) {
            carry->carry_ns[k] += whole * rule->window_ns;
        }
    }
}

void fsim_cpu_meter_end_more(const fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                             uint64_t part_ns, uint64_t pending_ms) {
    fsim_cpu_carry *carry = &rule->more->slots[m->slot];
    for (uint32_t k = 0; k < rule->more->count; k++) {
        uint64_t carry_ms = fsim_meter_ceil_ms(carry->carry_ns[k]);
        uint64_t pending = fsim_meter_ceil_ms(carry->carry_ns[k] + part_ns) - carry_ms;
        usage->threshold_more_ms[k] += carry_ms;
        carry->differs_ms[k] += (int64_t)pending - (int64_t)pending_ms;
        carry->carry_ns[k] = 0;
    }
}

/* ---- windows ---- */

static void decide(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage, uint64_t open_part_ns) {
    if (rule->more != NULL) {
        decide_more(m, rule, usage, open_part_ns);
    }
    if (fsim_cpu_rule_active(rule, m->cpu, m->resident_ns)) {
        usage->threshold_cpu_ms += m->pending_ms;
        m->carry_ns += open_part_ns;
    }
    usage->cpu_ucore_ns += m->cpu;
    m->pending_ms = 0;
    m->cpu = 0;
    m->resident_ns = 0;
}

void fsim_cpu_meter_next_window(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage,
                                fsim_ns now_ns) {
    bool open = m->begun_at_ns != FSIM_NEVER;
    uint64_t part = 0;
    if (open) {
        m->cpu += (uint64_t)(m->window_end_ns - m->seen_at_ns) * m->rate_ucore;
        part = (uint64_t)(m->window_end_ns - m->part_at_ns);
        m->resident_ns += part;
    }
    decide(m, rule, usage, part);
    uint64_t whole = (uint64_t)(now_ns - m->window_end_ns) / rule->window_ns;
    fsim_ns start_at_ns = m->window_end_ns + (fsim_ns)(whole * rule->window_ns);
    if (open && whole > 0) { /* all of them at the same rate: active together or idle together */
        uint64_t each = rule->window_ns * m->rate_ucore;
        usage->cpu_ucore_ns += (fsim_u128)each * whole;
        if (fsim_cpu_rule_active(rule, each, rule->window_ns)) {
            m->carry_ns += whole * rule->window_ns;
        }
        if (rule->more != NULL) {
            pass_more(m, rule, usage, each, whole);
        }
    }
    m->window_end_ns = start_at_ns + (fsim_ns)rule->window_ns;
    m->part_at_ns = start_at_ns;
    m->seen_at_ns = start_at_ns;
}

void fsim_cpu_meter_so_far(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage, fsim_ns at_ns,
                           uint64_t *mem_ms, uint64_t *cpu_ms) {
    if (at_ns >= m->window_end_ns) {
        fsim_cpu_meter_next_window(m, rule, usage, at_ns);
    }
    if (m->begun_at_ns == FSIM_NEVER) {
        return;
    }
    *mem_ms += fsim_meter_ceil_ms((uint64_t)(at_ns - m->begun_at_ns));
    cpu_ms[0] += fsim_meter_ceil_ms(m->carry_ns);
    for (uint32_t k = 0; rule->more != NULL && k < rule->more->count; k++) {
        cpu_ms[k + 1] += fsim_meter_ceil_ms(rule->more->slots[m->slot].carry_ns[k]);
    }
}

void fsim_cpu_meter_close(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage) {
    fsim_check(m->begun_at_ns == FSIM_NEVER);
    decide(m, rule, usage, 0);
}
