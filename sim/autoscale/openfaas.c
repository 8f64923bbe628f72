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

fsim_openfaas_event fsim_openfaas_evaluate(fsim_openfaas_alert *alert, double rate, double threshold,
                                           fsim_ns for_ns, fsim_ns now_ns) {
    bool was_firing = alert->firing;
    if (rate <= threshold) {
        *alert = (fsim_openfaas_alert){0};
        return was_firing ? FSIM_OPENFAAS_RESOLVED : FSIM_OPENFAAS_QUIET;
    }
    if (!alert->above) {
        *alert = (fsim_openfaas_alert){.above = true, .above_since_ns = now_ns};
    }
    alert->firing = now_ns - alert->above_since_ns >= for_ns;
    return alert->firing ? FSIM_OPENFAAS_FIRING : FSIM_OPENFAAS_QUIET;
}
