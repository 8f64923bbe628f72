/* The end of an execution: statistics, meters, and who comes next. */
#include "model/engine_provision.h"

void engine_serve_waiting(engine *e, fsim_ns since_ns) {
    uint32_t fn = e->waiting_first;
    while (fn != FSIM_NONE) {
        uint32_t next = e->functions[fn].waiting_next;
        engine_give_up_due(e, &e->functions[fn], since_ns);
        engine_serve_queue(e, &e->functions[fn]);
        engine_cancel_surplus(e, &e->functions[fn]);
        fn = next;
    }
}

FSIM_INLINE void meter_request(engine *e, function *f, const request *q) {
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    fsim_ns init_ns = 0;
    if (!in->served && (f->concurrency == 1 || (q->flags & REQUEST_FIRST) != 0)) {
        init_ns = in->provisioned ? 0 : in->ready_ns - in->started_ns;
        in->served = true;
        in->init_ns = init_ns;
        if (init_ns != 0) {
            fsim_meter_init(&f->usage, (uint64_t)init_ns);
        }
    }
    fsim_meter_request(&e->plan, &f->usage, (uint64_t)(e->now_ns - q->start_ns), (uint64_t)init_ns,
                       in->provisioned);
    if (f->solo_meter) {
        fsim_cpu_meter_span(&e->instances[i].meter, &f->cpu_rule, &f->usage, q->start_ns, e->now_ns,
                            q->rate_ucore);
    }
}

void engine_meter_request(engine *e, function *f, const request *q) {
    meter_request(e, f, q);
}

static inline void become_idle(engine *e, function *f, uint32_t i) {
    instance *in = &e->instances[i];
    fsim_ns busy_ns = e->now_ns - in->since_ns;
    if (e->keeps_busy) {
        level_leave(&e->busy, e->now_ns);
    }
    in->since_ns = e->now_ns;
    if (f->keeps_busy) {
        level_leave(&f->busy, e->now_ns);
    }
    if (e->has_pool && !in->provisioned) {
        e->pool_idle_mb += f->spec.memory_mb;
        engine_touched(e, f);
    }
    if (e->has_quota) {
        e->quota_used_mb -= f->spec.memory_mb;
        engine_claim_idle(e, f, in, true);
    }
    if (!e->metering) {
        return;
    }
    in->active_ns += busy_ns;
    if (!f->active_is_request) {
        fsim_meter_active(&e->plan, &f->usage, (uint64_t)busy_ns, (uint64_t)in->init_ns);
        in->init_ns = 0;
    }
    if (f->solo_meter) {
        return;
    }
    if (f->freeze) {
        fsim_cpu_meter_end(&e->instances[i].meter, &f->cpu_rule, &f->usage, e->now_ns);
    } else {
        engine_set_rate(e, f, i, f->background_ucore);
    }
}

/* An execution at rate_ucore has ended. */
static inline void watch_end(engine *e, function *f, const instance *in, uint32_t rate_ucore) {
    if ((f->watched & WATCH_TOTALS) != 0) {
        demand_leave(&f->demand, e->now_ns, rate_ucore);
    }
    if ((f->watched & WATCH_PROVISIONED) != 0 && in->provisioned) {
        engine_provision_leave(f, e->now_ns);
    }
}

/* It leaves its instance, and the system unless it is tried again. */
FSIM_INLINE void end_execution(engine *e, uint32_t r, bool failed) {
    request *q = &e->requests[r];
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    function *f = &e->functions[q->fn];
    if (e->has_occupancy) {
        engine_occupancy(e);
    }
    squared_leave(&f->in_execution, e->now_ns);
    if (e->many) {
        squared_leave(&e->in_execution, e->now_ns);
        if ((f->extras & FUNCTION_VERSION) != 0) {
            engine_versions_execute(e, f, false);
        }
    }
    bool again = failed && f->repeats && engine_try_after_error(e, r);
    if ((q->flags & REQUEST_COUNTED) != 0 && !again) {
        tally *t = &e->tallies[q->fn];
        bool cold = (q->flags & REQUEST_COLD) != 0;
        if (f->repeats) {
            engine_begin_statistics(e, t, q->start_ns - q->arrival_ns, cold);
        }
        if (failed) {
            t->n.failed++;
        } else {
            e->seen.completed++;
            engine_end_statistics(e, t, e->now_ns - q->arrival_ns, e->now_ns - q->start_ns, cold);
        }
    }
    if (e->metering) {
        meter_request(e, f, q);
    }
    engine_count_inside(e, f, i, -1);
    if (in->draining || in->parked) {
        e->links[i].inside--;
    } else {
        fsim_fleet_leave(&f->fleet[in->provisioned], e->links, i);
    }
    if (--in->executing == 0) {
        become_idle(e, f, i);
    } else if (e->metering) {
        engine_set_rate(e, f, i, in->rate_ucore - q->rate_ucore);
    }
    if ((f->extras & FUNCTION_SESSIONS) != 0) {
        engine_session_leave(e, r);
    }
    if ((f->extras & FUNCTION_AFTER) != 0) {
        engine_after_response(e, f, i);
    }
    if (f->watched != 0) {
        watch_end(e, f, in, q->rate_ucore);
    }
    if (f->sampled) {
        f->went += !failed;
        if (f->samples_requests) {
            engine_sampled_leave(e, i, (q->flags & REQUEST_PROXIED) != 0);
        }
        if (f->wants_cpu) {
            engine_cpu_change(e, f, i, -(int64_t)q->rate_ucore);
        }
    }
    if (again) {
        engine_back_to_queue(e, r);
    } else {
        engine_leave(e, r, failed ? FSIM_FAILED : FSIM_COMPLETED);
    }
}

void engine_fail_execution(engine *e, uint32_t r) {
    end_execution(e, r, true);
}

void engine_complete(engine *e, uint32_t r) {
    const request *q = &e->requests[r];
    uint32_t i = q->instance;
    instance *in = &e->instances[i];
    function *f = &e->functions[q->fn];
    if ((f->extras & FUNCTION_FAILS) != 0 && engine_failure_ends(e, f, r)) {
        return;
    }
    fsim_ns scheduled_ns = f->shared ? 0 : q->start_ns;
    end_execution(e, r, engine_ends_in_error(e, f, q));
    if (f->queued != 0) {
        engine_give_up_due(e, f, scheduled_ns);
    }
    if (in->head != FSIM_NONE) { /* requests that wait inside */
        uint32_t next = in->head;
        in->head = e->requests[next].link.next;
        in->tail = in->head == FSIM_NONE ? FSIM_NONE : in->tail;
        engine_begin(e, next, i);
    } else if (f->queued != 0 && !in->draining) {
        engine_serve_queue(e, f);
    }
    if (e->instances[i].executing == 0) {
        engine_idle(e, f, i);
    }
    if (e->waiting_first != FSIM_NONE) {
        engine_serve_waiting(e, scheduled_ns);
    }
    engine_cancel_surplus(e, f);
}
