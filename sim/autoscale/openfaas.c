#include "autoscale/openfaas.h"

#include <math.h>

int64_t fsim_openfaas_replicas(const fsim_openfaas_settings *s, bool firing, int64_t replicas) {
    int64_t max = s->max < s->hard_max ? s->max : s->hard_max;
    int64_t step = (int64_t)ceil((double)max / 100.0 * s->factor_pct);
    if (!firing || step <= 0) {
        return s->min;
    }
    return replicas + step > max ? max : replicas + step;
}

/* ---- the alert ---- */

static fsim_ns common_step(fsim_ns a_ns, fsim_ns b_ns) {
    while (b_ns != 0) {
        fsim_ns rest_ns = a_ns % b_ns;
        a_ns = b_ns;
        b_ns = rest_ns;
    }
    return a_ns;
}

fsim_ns fsim_openfaas_step(const fsim_openfaas_alert_plan *plan) {
    return common_step(common_step(plan->evaluation_ns, plan->group_wait_ns), plan->group_interval_ns);
}

static void evaluate(fsim_openfaas_alert *alert, const fsim_openfaas_alert_plan *plan, double rate,
                     fsim_ns now_ns) {
    if (rate <= plan->threshold) {
        alert->above = alert->firing = false;
        return;
    }
    alert->above_since_ns = alert->above ? alert->above_since_ns : now_ns;
    alert->above = true;
    alert->firing = now_ns - alert->above_since_ns >= plan->for_ns;
}

static fsim_openfaas_event flush(fsim_openfaas_alert *alert, const fsim_openfaas_alert_plan *plan,
                                 fsim_ns now_ns) {
    alert->flush_ns = now_ns + plan->group_interval_ns;
    if (!alert->firing) {
        bool told = alert->told_firing;
        alert->grouped = alert->told_firing = false;
        return told ? FSIM_OPENFAAS_RESOLVED : FSIM_OPENFAAS_QUIET;
    }
    if (alert->told_firing && now_ns - alert->told_ns < plan->repeat_interval_ns) {
        return FSIM_OPENFAAS_QUIET;
    }
    alert->told_firing = true;
    alert->told_ns = now_ns;
    return FSIM_OPENFAAS_FIRING;
}

fsim_openfaas_event fsim_openfaas_alert_at(fsim_openfaas_alert *alert, const fsim_openfaas_alert_plan *plan,
                                           double rate, fsim_ns now_ns) {
    if (now_ns % plan->evaluation_ns == 0) {
        evaluate(alert, plan, rate, now_ns);
    }
    if (alert->firing && !alert->grouped) {
        alert->grouped = true;
        alert->flush_ns = now_ns + plan->group_wait_ns;
    }
    return alert->grouped && now_ns >= alert->flush_ns ? flush(alert, plan, now_ns) : FSIM_OPENFAAS_QUIET;
}
