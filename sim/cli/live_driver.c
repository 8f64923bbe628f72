#include "cli/live_driver.h"

#include "cli/interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* AWAITS: in the line for a core, to be started or called. GONE: released there before it was started. */
enum {
    PROCESS_FREE,
    PROCESS_AWAITS_START,
    PROCESS_STARTING,
    PROCESS_IDLE,
    PROCESS_AWAITS_CALL,
    PROCESS_BUSY,
    PROCESS_ENDING,
    PROCESS_GONE
};
#define NONE UINT32_MAX

/* ---- tables ---- */

static void *grown(void *array, uint32_t *count, uint32_t need, size_t size, fsim_error *err) {
    uint32_t larger_count = *count == 0 ? 256 : 2 * *count;
    larger_count = larger_count > need ? larger_count : need;
    void *larger = realloc(array, larger_count * size);
    if (larger == NULL) {
        fsim_fail(err, FSIM_ELIMIT, "out of memory");
        return NULL;
    }
    memset((char *)larger + *count * size, 0, (larger_count - *count) * size);
    *count = larger_count;
    return larger;
}

static fsim_status need_instance(fsim_live_driver *d, uint32_t i, fsim_error *err) {
    if (i >= d->instance_count) {
        void *larger = grown(d->instances, &d->instance_count, i + 1u, sizeof *d->instances, err);
        d->instances = larger != NULL ? larger : d->instances;
        return larger != NULL ? FSIM_OK : FSIM_ELIMIT;
    }
    return FSIM_OK;
}

static fsim_status need_request(fsim_live_driver *d, uint32_t r, fsim_error *err) {
    if (r >= d->request_count) {
        void *larger = grown(d->after, &d->request_count, r + 1u, sizeof *d->after, err);
        d->after = larger != NULL ? larger : d->after;
        return larger != NULL ? FSIM_OK : FSIM_ELIMIT;
    }
    return FSIM_OK;
}

static fsim_status take_process(fsim_live_driver *d, uint32_t *out, fsim_error *err) {
    if (d->process_free == NONE) {
        uint32_t before = d->process_count;
        void *larger = grown(d->processes, &d->process_count, before + 1u, sizeof *d->processes, err);
        if (larger == NULL) {
            return FSIM_ELIMIT;
        }
        d->processes = larger;
        for (uint32_t p = d->process_count; p-- > before;) {
            d->processes[p].next = d->process_free;
            d->process_free = p;
        }
    }
    *out = d->process_free;
    d->process_free = d->processes[*out].next;
    return FSIM_OK;
}

static void free_process(fsim_live_driver *d, uint32_t p) {
    d->processes[p] = (fsim_live_process){.state = PROCESS_FREE, .next = d->process_free};
    d->process_free = p;
}

/* ---- cores: ids of the worker's instances begin at 1 ---- */

static void note(fsim_live_driver *d, fsim_live_part part, fsim_ns span_ns) {
    fsim_live_spans *s = &d->parts[part];
    span_ns = span_ns > 0 ? span_ns : 0;
    s->min_ns = s->n == 0 || span_ns < s->min_ns ? span_ns : s->min_ns;
    s->max_ns = span_ns > s->max_ns ? span_ns : s->max_ns;
    s->sum_ns += span_ns;
    s->n++;
    fsim_histogram_add(&s->histogram, span_ns);
}

static fsim_status take_core(fsim_live_driver *d, uint32_t p, fsim_error *err) {
    fsim_live_process *process = &d->processes[p];
    process->on_core = true;
    process->sent_ns = fsim_worker_now_ns();
    d->cores_free--;
    if (process->state == PROCESS_AWAITS_START) {
        process->state = PROCESS_STARTING;
        return fsim_worker_start(d->worker, p + 1u, err);
    }
    note(d, FSIM_LIVE_LINE, process->sent_ns - process->wished_ns);
    process->state = PROCESS_BUSY;
    d->calls++;
    return fsim_worker_call(d->worker, p + 1u, process->request, err);
}

static fsim_status need_core(fsim_live_driver *d, uint32_t p, fsim_error *err) {
    d->processes[p].wished_ns = fsim_worker_now_ns();
    if (d->cores_free > 0) {
        return take_core(d, p, err);
    }
    d->processes[p].behind = NONE;
    *(d->line_tail != NONE ? &d->processes[d->line_tail].behind : &d->line_head) = p;
    d->line_tail = p;
    return FSIM_OK;
}

/* The next in line has it at once. */
static fsim_status give_core(fsim_live_driver *d, uint32_t p, fsim_error *err) {
    if (!d->processes[p].on_core) {
        return FSIM_OK;
    }
    d->processes[p].on_core = false;
    d->cores_free++;
    while (d->line_head != NONE) {
        uint32_t next = d->line_head;
        d->line_head = d->processes[next].behind;
        d->line_tail = d->line_head == NONE ? NONE : d->line_tail;
        if (d->processes[next].state != PROCESS_GONE) {
            return take_core(d, next, err);
        }
        free_process(d, next);
    }
    return FSIM_OK;
}

static void leave_line(fsim_live_driver *d, uint32_t p) {
    uint32_t *at = &d->line_head, before = NONE;
    while (*at != p) {
        before = *at;
        at = &d->processes[*at].behind;
    }
    *at = d->processes[p].behind;
    d->line_tail = d->line_tail == p ? before : d->line_tail;
}

/* ---- processes of instances ---- */

static fsim_status start_process(fsim_live_driver *d, uint32_t i, uint32_t request, fsim_error *err) {
    uint32_t p = NONE;
    FSIM_TRY(take_process(d, &p, err));
    fsim_live_instance *in = &d->instances[i];
    d->processes[p] = (fsim_live_process){
        .state = PROCESS_AWAITS_START, .instance = i, .request = request, .next = in->processes};
    in->processes = p;
    in->count++;
    return need_core(d, p, err);
}

static fsim_status call(fsim_live_driver *d, uint32_t p, uint32_t request, fsim_error *err) {
    d->processes[p].state = PROCESS_AWAITS_CALL;
    d->processes[p].request = request;
    return need_core(d, p, err);
}

static uint32_t take_waiting(fsim_live_driver *d, fsim_live_instance *in) {
    uint32_t r = in->head;
    if (r != NONE) {
        in->head = d->after[r];
        in->tail = in->head == NONE ? NONE : in->tail;
    }
    return r;
}

/* The process takes the next request in line, or rests. */
static fsim_status rest(fsim_live_driver *d, uint32_t p, fsim_error *err) {
    uint32_t r = take_waiting(d, &d->instances[d->processes[p].instance]);
    d->processes[p].state = PROCESS_IDLE;
    d->processes[p].request = NONE;
    return r == NONE ? FSIM_OK : call(d, p, r, err);
}

static void unlink_process(fsim_live_driver *d, uint32_t p) {
    fsim_live_instance *in = &d->instances[d->processes[p].instance];
    uint32_t *at = &in->processes;
    while (*at != p) {
        at = &d->processes[*at].next;
    }
    *at = d->processes[p].next;
    in->count--;
}

/* ---- what the engine orders ---- */

static fsim_status on_start(void *user, uint32_t i, bool ready, fsim_error *err) {
    fsim_live_driver *d = user;
    FSIM_TRY(need_instance(d, i, err));
    d->instances[i] =
        (fsim_live_instance){.alive = true, .ready = ready, .processes = NONE, .head = NONE, .tail = NONE};
    return start_process(d, i, NONE, err);
}

static void on_remove(void *user, uint32_t i) {
    fsim_live_driver *d = user;
    fsim_live_instance *in = &d->instances[i];
    while (in->processes != NONE) {
        uint32_t p = in->processes;
        in->processes = d->processes[p].next;
        d->processes[p].instance = NONE;
        if (d->processes[p].state == PROCESS_AWAITS_START) {
            d->processes[p].state = PROCESS_GONE;
            continue;
        }
        if (d->processes[p].state == PROCESS_AWAITS_CALL) {
            leave_line(d, p);
        }
        d->processes[p].state = PROCESS_ENDING;
        fsim_worker_release(d->worker, p + 1u);
    }
    in->alive = false;
}

static fsim_status on_begin(void *user, uint32_t r, uint32_t i, fsim_error *err) {
    fsim_live_driver *d = user;
    fsim_live_instance *in = &d->instances[i];
    FSIM_TRY(need_request(d, r, err));
    for (uint32_t p = in->processes; p != NONE; p = d->processes[p].next) {
        if (d->processes[p].state == PROCESS_IDLE) {
            return call(d, p, r, err);
        }
    }
    if (in->count < d->slots_max) {
        return start_process(d, i, r, err);
    }
    d->after[r] = NONE;
    *(in->tail != NONE ? &d->after[in->tail] : &in->head) = r;
    in->tail = r;
    return FSIM_OK;
}

/* Takes the request out of the line inside its instance. */
static void leave_instance_line(fsim_live_driver *d, fsim_live_instance *in, uint32_t r) {
    uint32_t *at = &in->head, before = NONE;
    while (*at != NONE && *at != r) {
        before = *at;
        at = &d->after[*at];
    }
    if (*at == r) {
        *at = d->after[r];
        in->tail = in->tail == r ? before : in->tail;
    }
}

static fsim_status on_cut(void *user, uint32_t r, uint32_t i, fsim_error *err) {
    fsim_live_driver *d = user;
    fsim_live_instance *in = &d->instances[i];
    uint32_t p = in->processes;
    d->cut++;
    while (p != NONE && (d->processes[p].request != r || d->processes[p].state == PROCESS_ENDING)) {
        p = d->processes[p].next;
    }
    if (p == NONE) {
        leave_instance_line(d, in, r);
        return FSIM_OK;
    }
    fsim_live_process *process = &d->processes[p];
    switch (process->state) {
    case PROCESS_AWAITS_CALL: leave_line(d, p); return rest(d, p, err);
    case PROCESS_BUSY: /* EXITED comes, and gives the core back */
        process->state = PROCESS_ENDING;
        process->request = NONE;
        return fsim_worker_kill(d->worker, p + 1u, err);
    default: process->request = NONE; return FSIM_OK; /* it goes on starting, for the next one */
    }
}

/* ---- what happens ---- */

static void note_failure(fsim_live_driver *d, const char *why) {
    snprintf(d->last_failure, sizeof d->last_failure, "%.150s", why);
}

static fsim_status on_ready(fsim_live_driver *d, uint32_t p, const fsim_wasm_message *m, fsim_live_event *out,
                            fsim_error *err) {
    fsim_live_process *process = &d->processes[p];
    process->pid = (int)m->value[FSIM_WASM_READY_PID];
    FSIM_TRY(give_core(d, p, err));
    process = &d->processes[p];
    if (process->instance == NONE) {
        return FSIM_OK; /* removed before it was ready */
    }
    fsim_live_instance *in = &d->instances[process->instance];
    if (!in->ready) {
        in->ready = true;
        out->kind = FSIM_LIVE_READY;
        out->instance = process->instance;
    }
    return process->request != NONE ? call(d, p, process->request, err) : rest(d, p, err);
}

static fsim_status on_result(fsim_live_driver *d, uint32_t p, const fsim_wasm_message *m,
                             fsim_live_event *out, fsim_error *err) {
    bool trapped = m->value[FSIM_WASM_RESULT_OUTCOME] != FSIM_WASM_DONE;
    if (d->processes[p].state != PROCESS_BUSY) {
        return FSIM_OK; /* cut off at this very instant */
    }
    fsim_ns began_ns = (fsim_ns)m->value[FSIM_WASM_RESULT_BEGAN_AT];
    fsim_ns ended_ns = (fsim_ns)m->value[FSIM_WASM_RESULT_ENDED_AT];
    note(d, FSIM_LIVE_WAKE, began_ns - d->processes[p].sent_ns);
    note(d, FSIM_LIVE_CALL, ended_ns - began_ns);
    note(d, FSIM_LIVE_BACK, fsim_worker_now_ns() - ended_ns);
    FSIM_TRY(give_core(d, p, err));
    out->kind = trapped ? FSIM_LIVE_FAILED : FSIM_LIVE_DONE;
    out->request = m->call;
    if (!trapped) {
        return rest(d, p, err);
    }
    d->traps++;
    note_failure(d, m->text);
    d->processes[p].state = PROCESS_ENDING; /* EXITED comes */
    d->processes[p].request = NONE;
    return FSIM_OK;
}

/* A process is gone. If it had a request, that has failed; those in line need another one. */
static fsim_status on_exited(fsim_live_driver *d, uint32_t p, const fsim_wasm_message *m,
                             fsim_live_event *out, fsim_error *err) {
    FSIM_TRY(give_core(d, p, err));
    fsim_live_process gone = d->processes[p];
    d->gone_cpu_ns += (fsim_ns)m->value[FSIM_WASM_EXITED_CPU_NS];
    if (gone.instance != NONE) {
        unlink_process(d, p);
    }
    if (gone.state == PROCESS_AWAITS_CALL) {
        leave_line(d, p);
    }
    fsim_worker_release(d->worker, p + 1u);
    free_process(d, p);
    if (gone.state == PROCESS_STARTING && gone.instance != NONE) {
        char why[FSIM_WORKER_DEATH_MAX];
        fsim_worker_death(d->worker, m, why);
        return fsim_fail(err, FSIM_EDATA, "an instance did not start: %s", why);
    }
    if (gone.state == PROCESS_BUSY || gone.state == PROCESS_AWAITS_CALL) {
        char why[FSIM_WORKER_DEATH_MAX];
        fsim_worker_death(d->worker, m, why);
        note_failure(d, why);
        d->deaths++;
        out->kind = FSIM_LIVE_FAILED;
        out->request = gone.request;
    }
    fsim_live_instance *in = gone.instance == NONE ? NULL : &d->instances[gone.instance];
    if (in != NULL && in->head != NONE && in->count < d->slots_max) {
        return start_process(d, gone.instance, take_waiting(d, in), err);
    }
    return FSIM_OK;
}

static fsim_status take(fsim_live_driver *d, const fsim_wasm_message *m, fsim_live_event *out,
                        fsim_error *err) {
    uint32_t p = m->id - 1u;
    switch (m->type) {
    case FSIM_WASM_READY: return on_ready(d, p, m, out, err);
    case FSIM_WASM_RESULT: return on_result(d, p, m, out, err);
    case FSIM_WASM_EXITED: return on_exited(d, p, m, out, err);
    default: return fsim_worker_judge(d->worker, m, err);
    }
}

/* ---- the clock ---- */

static fsim_ns run_now_ns(const fsim_live_driver *d) {
    return (fsim_ns)((double)(fsim_worker_now_ns() - d->began_ns) * d->speed_up);
}

static void show(fsim_live_driver *d, fsim_ns now_ns) {
    double share = d->horizon_ns == FSIM_NEVER ? -1 : (double)now_ns / (double)d->horizon_ns;
    fsim_progress_update(d->progress, 0, (fsim_progress_run){share > 1 ? 1 : share, now_ns, d->calls});
}

/* When an event happened, on the run's clock; what bears no instant has happened long ago. */
static fsim_ns happened_ns(const fsim_live_driver *d, const fsim_wasm_message *m) {
    uint64_t at = m->type == FSIM_WASM_RESULT  ? m->value[FSIM_WASM_RESULT_ENDED_AT]
                  : m->type == FSIM_WASM_READY ? m->value[FSIM_WASM_READY_AT]
                                               : 0;
    return (fsim_ns)((double)((fsim_ns)at - d->began_ns) * d->speed_up);
}

/* Until then on the machine's clock, or until it is time to look up: for Ctrl-C and the progress bar. */
static fsim_ns deadline_ns(const fsim_live_driver *d, fsim_ns until_ns) {
    static const fsim_ns look_up_ns = 200 * FSIM_MS;
    fsim_ns soon_ns = fsim_worker_now_ns() + look_up_ns;
    if (until_ns == FSIM_NEVER) {
        return soon_ns;
    }
    fsim_ns due_ns = d->began_ns + (fsim_ns)((double)until_ns / d->speed_up) + 1;
    return due_ns < soon_ns ? due_ns : soon_ns;
}

/* On a machine that is late, what happened before an instant that is due still comes before it: else
 * completions would wait behind all arrivals that are late, and every lag would grow. */
static fsim_status on_wait(void *user, fsim_ns until_ns, fsim_live_event *out, fsim_error *err) {
    fsim_live_driver *d = user;
    d->began_ns = d->began_ns == 0 ? fsim_worker_now_ns() : d->began_ns;
    out->kind = FSIM_LIVE_DUE;
    for (;;) {
        fsim_ns now_ns = run_now_ns(d);
        if (fsim_interrupt_seen()) {
            *out = (fsim_live_event){.kind = FSIM_LIVE_STOP, .at_ns = now_ns < until_ns ? now_ns : until_ns};
            return FSIM_OK;
        }
        bool late = now_ns >= until_ns;
        show(d, now_ns);
        if (!d->has_held) {
            FSIM_TRY(fsim_worker_wait(d->worker, late ? 0 : deadline_ns(d, until_ns), &d->held, &d->has_held,
                                      err));
            now_ns = run_now_ns(d);
        }
        if (d->has_held ? happened_ns(d, &d->held) > until_ns : late) {
            note(d, FSIM_LIVE_LATE, (fsim_ns)((double)(now_ns - until_ns) / d->speed_up));
            return FSIM_OK;
        }
        if (!d->has_held) {
            continue;
        }
        d->has_held = false;
        FSIM_TRY(take(d, &d->held, out, err));
        if (out->kind != FSIM_LIVE_DUE) {
            out->at_ns = now_ns < until_ns ? now_ns : until_ns;
            return FSIM_OK;
        }
    }
}

/* CPU seconds of fsim, the worker and all instances, so far. */
static double own_cpu_s(const fsim_live_driver *d) {
    double sum_s = fsim_progress_cpu_s() + fsim_machine_cpu_s(d->worker->pid) + fsim_ns_to_s(d->gone_cpu_ns);
    for (uint32_t p = 0; p < d->process_count; p++) {
        bool lives = d->processes[p].state != PROCESS_FREE && d->processes[p].pid != 0;
        sum_s += lives ? fsim_machine_cpu_s(d->processes[p].pid) : 0;
    }
    return sum_s;
}

void fsim_live_driver_shares(const fsim_live_driver *d, double *others, double *stolen) {
    fsim_machine_load now;
    double own_s = own_cpu_s(d) - d->own_before_s;
    *others = *stolen = -1;
    if (fsim_machine_load_read(&now) && now.total_s > d->machine_before.total_s) {
        double total_s = now.total_s - d->machine_before.total_s;
        double share = (now.busy_s - d->machine_before.busy_s - own_s) / total_s;
        *others = share > 0 ? share : 0;
        *stolen = (now.stolen_s - d->machine_before.stolen_s) / total_s;
    }
}

bool fsim_live_driver_begin(fsim_live_driver *d, fsim_worker *worker, double speed_up, uint32_t cores,
                            fsim_live_ops *ops) {
    long here = sysconf(_SC_NPROCESSORS_ONLN);
    *d = (fsim_live_driver){.worker = worker,
                            .speed_up = speed_up,
                            .slots_max = here > 0 ? 4u * (uint32_t)here : 4u,
                            .cores_free = cores,
                            .line_head = NONE,
                            .line_tail = NONE,
                            .horizon_ns = FSIM_NEVER,
                            .process_free = NONE,
                            .parts = calloc(FSIM_LIVE_PARTS, sizeof *d->parts)};
    d->own_before_s = own_cpu_s(d);
    fsim_machine_load_read(&d->machine_before);
    *ops = (fsim_live_ops){
        .start = on_start, .remove = on_remove, .begin = on_begin, .cut = on_cut, .wait = on_wait, .user = d};
    return d->parts != NULL;
}

void fsim_live_driver_end(fsim_live_driver *d) {
    free(d->processes);
    free(d->instances);
    free(d->after);
    free(d->parts);
    d->parts = NULL;
    d->processes = NULL;
    d->instances = NULL;
    d->after = NULL;
}
