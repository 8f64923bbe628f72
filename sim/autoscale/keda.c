#include "autoscale/keda.h"

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* ---- scaled objects ---- */

int64_t fsim_keda_hpa_min(const fsim_keda_object *object) {
    return most(object->min, 1);
}

static fsim_keda_decision decide_active(const fsim_keda_object *o, const fsim_keda_poll *p) {
    bool idles = o->idle != FSIM_KEDA_NONE && p->replicas < o->min;
    if (p->replicas == 0 || idles) {
        return (fsim_keda_decision){FSIM_KEDA_WAKES, most(o->min, 1)};
    }
    return (fsim_keda_decision){FSIM_KEDA_STAYS, p->replicas};
}

static fsim_keda_decision decide_inactive(const fsim_keda_object *o, const fsim_keda_poll *p) {
    bool has_idle = o->idle != FSIM_KEDA_NONE;
    if ((has_idle && p->replicas > o->idle) || (p->replicas > 0 && o->min == 0)) {
        fsim_ns cooldown_ns = p->ever_active ? o->cooldown_ns : o->initial_cooldown_ns;
        return p->since_ns > cooldown_ns ? (fsim_keda_decision){FSIM_KEDA_SLEEPS, has_idle ? o->idle : 0}
                                         : (fsim_keda_decision){FSIM_KEDA_COOLS, p->replicas};
    }
    if (p->replicas < o->min && !has_idle) {
        return (fsim_keda_decision){FSIM_KEDA_RAISES, o->min};
    }
    return (fsim_keda_decision){FSIM_KEDA_STAYS, p->replicas};
}

fsim_keda_decision fsim_keda_decide(const fsim_keda_object *o, const fsim_keda_poll *p) {
    if (p->active) {
        return decide_active(o, p);
    }
    if (!p->error) {
        return decide_inactive(o, p);
    }
    bool falls_back = o->fallback != FSIM_KEDA_NONE && p->failures >= o->failure_threshold;
    return falls_back ? (fsim_keda_decision){FSIM_KEDA_FALLS_BACK, o->fallback}
                      : (fsim_keda_decision){FSIM_KEDA_STAYS, p->replicas};
}

/* ---- scaled jobs ---- */

static int64_t by_strategy(const fsim_keda_job *j, int64_t wanted, int64_t running, int64_t pending) {
    switch (j->strategy) {
    case FSIM_KEDA_CUSTOM:
        return least(wanted - j->deduction - (int64_t)((double)running * j->running_share), j->max);
    case FSIM_KEDA_ACCURATE: return wanted + running - pending > j->max ? j->max - running : wanted - pending;
    case FSIM_KEDA_EAGER: return least(j->max - running - pending, wanted);
    case FSIM_KEDA_DEFAULT:
    default: return wanted - running;
    }
}

/* Jobs of the minimum do not count as work that runs. */
int64_t fsim_keda_jobs(const fsim_keda_job *j, int64_t wanted, int64_t running, int64_t pending) {
    if (running < j->min) {
        return j->min - running;
    }
    return most(by_strategy(j, wanted, running - j->min, pending), 0);
}

int64_t fsim_keda_scale_to(const fsim_keda_job *j, int64_t wanted) {
    return j->strategy == FSIM_KEDA_EAGER ? j->max : wanted;
}
