/* Closing of CPU windows; the per-request part is inline in meter.h. */
#include "billing/meter.h"

static void decide(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage, uint64_t open_part_ns) {
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
    }
    m->window_end_ns = start_at_ns + (fsim_ns)rule->window_ns;
    m->part_at_ns = start_at_ns;
    m->seen_at_ns = start_at_ns;
}

void fsim_cpu_meter_close(fsim_cpu_meter *m, const fsim_cpu_rule *rule, fsim_usage *usage) {
    fsim_check(m->begun_at_ns == FSIM_NEVER);
    decide(m, rule, usage, 0);
}
