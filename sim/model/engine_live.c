/* The loop of a live run (model/live.h): the next of arrival, timer and what happens to real instances. */
#include "model/engine.h"

static bool succeed(engine *e, fsim_status status) {
    if (status != FSIM_OK && e->status == FSIM_OK) {
        engine_fail(e, status);
    }
    return status == FSIM_OK;
}

void engine_live_start(engine *e, uint32_t i, bool ready) {
    const fsim_live_ops *live = e->options->live;
    succeed(e, live->start(live->user, i, ready, e->err));
}

/* The function's time-out counts from here on, as in a simulation. */
static void arm_cut(engine *e, uint32_t r) {
    const request *q = &e->requests[r];
    fsim_ns timeout_ns = e->functions[q->fn].timeout_ns;
    if (timeout_ns != FSIM_NEVER) {
        engine_push(e, fsim_ns_add(e->now_ns, timeout_ns), r, EVENT_KIND(EVENT_CUT, q->generation));
    }
}

void engine_live_begin(engine *e, uint32_t r) {
    const fsim_live_ops *live = e->options->live;
    arm_cut(e, r);
    succeed(e, live->begin(live->user, r, e->requests[r].instance, e->err));
}

void engine_live_cut(engine *e, uint32_t r) {
    const fsim_live_ops *live = e->options->live;
    e->requests[r].flags |= REQUEST_CUT;
    if (succeed(e, live->cut(live->user, r, e->requests[r].instance, e->err))) {
        engine_complete(e, r);
    }
}

void engine_live_remove(engine *e, uint32_t i) {
    e->options->live->remove(e->options->live->user, i);
}

/* The next arrival, or FSIM_NEVER; reads the next batch where this one is used up. */
static fsim_ns next_arrival_ns(engine *e, uint32_t row) {
    return row < e->batch.count ? e->batch.at_ns[row] : FSIM_NEVER;
}

static bool read_batch(engine *e) {
    if (!succeed(e, fsim_workload_next(e->workload, &e->batch, e->err))) {
        return false;
    }
    engine_add_functions(e);
    engine_begin_if_called(e, &e->batch);
    e->batches += e->batch.count != 0;
    return true;
}

static void arrive(engine *e, uint32_t row) {
    fsim_arrivals one;
    one.count = 1;
    one.has_cpu = false;
    one.has_session = e->batch.has_session;
    one.session[0] = e->batch.has_session ? e->batch.session[row] : 0;
    one.at_ns[0] = e->batch.at_ns[row];
    one.service_ns[0] = e->batch.service_ns[row];
    one.fn[0] = e->batch.fn[row];
    engine_feed(e, &one, e->scenario->until_ns);
}

static void happen(engine *e, const fsim_live_event *event) {
    if (event->at_ns > e->mark_ns) {
        engine_marks(e, event->at_ns);
    }
    e->now_ns = event->at_ns;
    e->events++;
    switch (event->kind) {
    case FSIM_LIVE_READY: engine_ready(e, event->instance); break;
    case FSIM_LIVE_FAILED:
        e->requests[event->request].flags |= REQUEST_CUT;
        engine_complete(e, event->request);
        break;
    case FSIM_LIVE_DONE: engine_complete(e, event->request); break;
    case FSIM_LIVE_STOP: e->stopped = true; break;
    case FSIM_LIVE_DUE:
    default: fsim_assert(false);
    }
}

void engine_live(engine *e) {
    const fsim_live_ops *live = e->options->live;
    fsim_ns until_ns = e->scenario->until_ns;
    uint32_t row = 0;
    if (!read_batch(e)) {
        return;
    }
    while (!e->stopped && e->status == FSIM_OK) {
        fsim_ns arrival_ns = next_arrival_ns(e, row), timer_ns = fsim_event_queue_next_ns(&e->queue);
        fsim_ns next_ns = arrival_ns < timer_ns ? arrival_ns : timer_ns;
        fsim_live_event event = {.kind = FSIM_LIVE_DUE};
        if (until_ns == FSIM_NEVER && arrival_ns == FSIM_NEVER && e->in_system == 0 &&
            e->closed_outstanding == 0) {
            return;
        }
        next_ns = next_ns < until_ns ? next_ns : until_ns;
        if (!succeed(e, live->wait(live->user, next_ns, &event, e->err))) {
            return;
        }
        if (event.kind != FSIM_LIVE_DUE) {
            happen(e, &event);
        } else if (timer_ns <= arrival_ns && timer_ns <= until_ns && timer_ns != FSIM_NEVER) {
            engine_step(e);
        } else if (arrival_ns <= until_ns && arrival_ns != FSIM_NEVER) {
            arrive(e, row++);
            if (row == e->batch.count) {
                row = 0;
                if (!read_batch(e)) {
                    return;
                }
            }
        } else {
            return;
        }
    }
}
