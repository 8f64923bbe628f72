/* The measurements of `fsim calibrate`, one after the other on one worker. */
#include "base/rng.h"
#include "cli/calibration.h"
#include "cli/progress.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WARM_ROUNDS = 100,
    COLD_ROUNDS = 30,
    COMPILES = 3,
    PROCESS_STARTS = 20,
    NATIVE_STARTS = 50,
    READ_AT_MOST = 200,
    BRIEF_CALLS = 100, /* at least, then as many as there is time for */
    PAUSE_MAX_NS = 5 * FSIM_MS
};
#define BRIEF_NS (6 * FSIM_SECOND)

typedef struct run {
    fsim_calibration *c;
    const fsim_calibration_options *options;
    const char *module;
    fsim_worker worker;
    fsim_progress progress;
    uint64_t requests;
    fsim_ns patience_ns; /* beyond every limit on a call */
    fsim_error *err;
} run;

static fsim_status keep(run *r, fsim_samples *s, double value) {
    if (s->n == s->capacity) {
        size_t capacity = s->capacity == 0 ? 256 : 2 * s->capacity;
        double *larger = realloc(s->x, capacity * sizeof *larger);
        if (larger == NULL) {
            return fsim_fail(r->err, FSIM_ELIMIT, "out of memory");
        }
        s->x = larger;
        s->capacity = capacity;
    }
    s->x[s->n++] = value;
    return FSIM_OK;
}

static fsim_status keep_span(run *r, fsim_samples *s, fsim_ns span_ns) {
    return keep(r, s, fsim_ns_to_s(span_ns));
}

static void report(run *r, double share) {
    fsim_progress_update(&r->progress, 0, (fsim_progress_run){.share = share, .arrived = r->requests});
}

/* ---- one worker ---- */

static fsim_status start_and_wait(run *r, fsim_worker *w, uint32_t id) {
    fsim_wasm_message m;
    FSIM_TRY(fsim_worker_start(w, id, r->err));
    return fsim_worker_expect(w, FSIM_WASM_READY, r->patience_ns, &m, r->err);
}

static fsim_status call_and_wait(run *r, fsim_worker *w, uint32_t id, fsim_wasm_message *result) {
    FSIM_TRY(fsim_worker_call(w, id, 0, r->err));
    FSIM_TRY(fsim_worker_expect(w, FSIM_WASM_RESULT, r->patience_ns, result, r->err));
    r->requests++;
    if (result->value[FSIM_WASM_RESULT_OUTCOME] != FSIM_WASM_DONE) {
        return fsim_fail_at(r->err, FSIM_EDATA, r->module, "a call traps: %.400s", result->text);
    }
    return FSIM_OK;
}

static fsim_status end_and_wait(run *r, uint32_t id) {
    fsim_wasm_message m;
    fsim_worker_release(&r->worker, id);
    return fsim_worker_expect(&r->worker, FSIM_WASM_EXITED, r->patience_ns, &m, r->err);
}

static fsim_status compile(run *r, fsim_wasm_message *loaded) {
    FSIM_TRY(fsim_worker_load(&r->worker, r->module, true, loaded, r->err));
    return keep_span(r, &r->c->compile, (fsim_ns)loaded->value[FSIM_WASM_LOADED_COMPILE_NS]);
}

static fsim_status load(run *r) {
    fsim_wasm_message m;
    fsim_calibration *c = r->c;
    FSIM_TRY(fsim_worker_open(&r->worker, r->options->backend, &r->options->limits, true, r->err));
    FSIM_TRY(compile(r, &m));
    snprintf(c->sha256, sizeof c->sha256, "%.64s", m.text);
    memcpy(c->runtime, r->worker.runtime, sizeof c->runtime);
    c->backend = r->options->backend;
    c->module_bytes = m.value[FSIM_WASM_LOADED_BYTES];
    c->compiled_bytes = m.value[FSIM_WASM_LOADED_COMPILED_BYTES];
    c->speedup = (double)m.value[FSIM_WASM_LOADED_SPEEDUP_MILLI] / 1000.0;
    c->counted_by = m.value[FSIM_WASM_LOADED_COUNTS];
    return FSIM_OK;
}

/* ---- starts ---- */

static fsim_status measure_phases(run *r, uint32_t rounds, bool cold) {
    fsim_samples *phases = cold ? r->c->cold_cache : r->c->warm_cache;
    FSIM_TRY(fsim_worker_measure(&r->worker, rounds, cold, r->err));
    for (uint32_t i = 0; i < rounds; i++) {
        fsim_wasm_message m;
        fsim_ns sum_ns = 0;
        FSIM_TRY(fsim_worker_expect(&r->worker, FSIM_WASM_PHASES, r->patience_ns, &m, r->err));
        for (uint32_t p = 0; p < FSIM_WASM_PHASE_COUNT; p++) {
            FSIM_TRY(keep_span(r, &phases[p], (fsim_ns)m.value[p]));
            sum_ns += (fsim_ns)m.value[p];
        }
        r->requests++;
        FSIM_TRY(cold ? FSIM_OK : keep_span(r, &r->c->in_process, sum_ns));
    }
    fsim_wasm_message done;
    return fsim_worker_expect(&r->worker, FSIM_WASM_MEASURED, r->patience_ns, &done, r->err);
}

static fsim_status measure_zygote(run *r) {
    for (uint32_t i = 0; i < r->options->starts; i++) {
        fsim_wasm_message result;
        fsim_ns asked_ns = fsim_worker_now_ns();
        FSIM_TRY(start_and_wait(r, &r->worker, 1));
        FSIM_TRY(keep_span(r, &r->c->ready, fsim_worker_now_ns() - asked_ns));
        FSIM_TRY(keep_span(r, &r->c->ready_at, asked_ns));
        FSIM_TRY(call_and_wait(r, &r->worker, 1, &result));
        FSIM_TRY(keep_span(r, &r->c->zygote, fsim_worker_now_ns() - asked_ns));
        FSIM_TRY(end_and_wait(r, 1));
        report(r, 0.15 + 0.15 * i / r->options->starts);
    }
    return FSIM_OK;
}

static fsim_status measure_processes(run *r) {
    for (uint32_t i = 0; i < PROCESS_STARTS; i++) {
        fsim_worker fresh;
        fsim_wasm_message m;
        fsim_ns asked_ns = fsim_worker_now_ns();
        FSIM_TRY(fsim_worker_open(&fresh, r->options->backend, &r->options->limits, false, r->err));
        fsim_status status = fsim_worker_load(&fresh, r->module, false, &m, r->err);
        status = status == FSIM_OK ? start_and_wait(r, &fresh, 1) : status;
        status = status == FSIM_OK ? call_and_wait(r, &fresh, 1, &m) : status;
        fsim_ns span_ns = fsim_worker_now_ns() - asked_ns;
        fsim_worker_close(&fresh);
        FSIM_TRY(status);
        FSIM_TRY(keep_span(r, &r->c->process, span_ns));
        report(r, 0.3 + 0.1 * i / PROCESS_STARTS);
    }
    for (uint32_t i = 0; i < NATIVE_STARTS; i++) {
        char *const arguments[] = {"true", NULL};
        pid_t pid = 0;
        fsim_ns asked_ns = fsim_worker_now_ns();
        if (posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ) != 0) {
            return FSIM_OK; /* nothing to compare with */
        }
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        FSIM_TRY(keep_span(r, &r->c->native, fsim_worker_now_ns() - asked_ns));
    }
    return FSIM_OK;
}

/* ---- calls ---- */

/* Sleeps until an instant as a live run does until the next arrival, so that what is measured contains what
 * a machine takes that has been idle. */
static fsim_status sleep_until(run *r, fsim_ns due_ns) {
    while (fsim_worker_now_ns() < due_ns) {
        fsim_wasm_message m;
        bool got = false;
        FSIM_TRY(fsim_worker_wait(&r->worker, due_ns, &m, &got, r->err));
        FSIM_TRY(got ? fsim_worker_judge(&r->worker, &m, r->err) : FSIM_OK);
    }
    return FSIM_OK;
}

/* At random instants, so that the core works half of the time. */
static fsim_status measure_calls(run *r) {
    fsim_calibration *c = r->c;
    fsim_wasm_message m;
    FSIM_TRY(start_and_wait(r, &r->worker, 1));
    FSIM_TRY(call_and_wait(r, &r->worker, 1, &m)); /* the first is part of the start */
    fsim_rng rng;
    fsim_rng_seed(&rng, 1, "calibrate", FSIM_RNG_ARRIVALS);
    fsim_ns pause_ns = 0, began_ns = fsim_worker_now_ns();
    for (uint32_t i = 0; i < r->options->calls; i++) {
        if (r->options->brief && i >= BRIEF_CALLS && fsim_worker_now_ns() - began_ns > BRIEF_NS) {
            break;
        }
        fsim_ns due_ns = fsim_worker_now_ns() + (fsim_ns)((double)pause_ns * fsim_rng_exponential(&rng));
        FSIM_TRY(sleep_until(r, due_ns));
        fsim_ns asked_ns = fsim_worker_now_ns();
        FSIM_TRY(call_and_wait(r, &r->worker, 1, &m));
        fsim_ns span_ns = fsim_worker_now_ns() - asked_ns;
        pause_ns = span_ns < PAUSE_MAX_NS ? span_ns : PAUSE_MAX_NS;
        FSIM_TRY(keep_span(r, &c->dispatch, asked_ns - due_ns));
        FSIM_TRY(keep_span(r, &c->service, span_ns));
        FSIM_TRY(keep_span(r, &c->due_at, due_ns));
        FSIM_TRY(keep_span(
            r, &c->call, (fsim_ns)(m.value[FSIM_WASM_RESULT_ENDED_AT] - m.value[FSIM_WASM_RESULT_BEGAN_AT])));
        FSIM_TRY(keep_span(r, &c->cpu, (fsim_ns)m.value[FSIM_WASM_RESULT_CPU_NS]));
        if (m.value[FSIM_WASM_RESULT_INSTRUCTIONS] != FSIM_WASM_NO_COUNT) {
            FSIM_TRY(keep(r, &c->instructions, (double)m.value[FSIM_WASM_RESULT_INSTRUCTIONS]));
        }
        report(r, 0.4 + 0.2 * i / r->options->calls);
    }
    c->output_bytes = m.value[FSIM_WASM_RESULT_OUTPUT_BYTES];
    return end_and_wait(r, 1);
}

/* `calls` at a time, each by an instance of its own that is called again as soon as it has answered. */
static fsim_status measure_parallel(run *r, fsim_parallel_row *row, uint32_t calls, uint32_t rounds) {
    fsim_ns asked_ns[16] = {0};
    uint32_t left = calls * rounds, open = calls;
    row->calls = calls;
    for (uint32_t id = 1; id <= calls; id++) {
        fsim_wasm_message m;
        FSIM_TRY(start_and_wait(r, &r->worker, id));
        FSIM_TRY(call_and_wait(r, &r->worker, id, &m));
    }
    fsim_ns began_ns = fsim_worker_now_ns();
    for (uint32_t id = 1; id <= calls; id++, left--) {
        asked_ns[id] = fsim_worker_now_ns();
        FSIM_TRY(fsim_worker_call(&r->worker, id, 0, r->err));
    }
    while (open > 0) {
        fsim_wasm_message m;
        FSIM_TRY(fsim_worker_expect(&r->worker, FSIM_WASM_RESULT, r->patience_ns, &m, r->err));
        fsim_ns now_ns = fsim_worker_now_ns();
        FSIM_TRY(keep_span(r, &row->span, now_ns - asked_ns[m.id]));
        r->requests++;
        open--;
        if (left > 0) {
            asked_ns[m.id] = now_ns;
            FSIM_TRY(fsim_worker_call(&r->worker, m.id, 0, r->err));
            left--;
            open++;
        }
    }
    row->calls_per_s = (double)row->span.n / fsim_ns_to_s(fsim_worker_now_ns() - began_ns);
    for (uint32_t id = 1; id <= calls; id++) {
        FSIM_TRY(end_and_wait(r, id));
    }
    return FSIM_OK;
}

/* ---- memory ---- */

/* The number behind "key:" in a file of /proc, in kB; 0: none. */
static double read_kb(const char *path, const char *key) {
    char line[256];
    double kb = 0;
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':') {
            kb += strtod(line + strlen(key) + 1, NULL);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return kb;
}

static double bytes_of(uint64_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%llu/smaps_rollup", (unsigned long long)pid);
    double kb = read_kb(path, "Private_Dirty") + read_kb(path, "Private_Clean");
    snprintf(path, sizeof path, "/proc/%llu/status", (unsigned long long)pid);
    return 1024.0 * (kb + read_kb(path, "VmPTE"));
}

static void weigh(run *r, const uint64_t *pids, uint32_t count) {
    uint32_t step = count > READ_AT_MOST ? count / READ_AT_MOST : 1, read = 0;
    double sum = 0;
    for (uint32_t i = 0; i < count; i += step, read++) {
        sum += bytes_of(pids[i]);
    }
    r->c->memory[r->c->memory_steps++] = (fsim_memory_row){count, sum / read};
}

/* Starts instances one after the other until there are `count`; what keeps one from starting is no failure
 * here. */
static fsim_status grow(run *r, uint64_t *pids, uint32_t *live, uint32_t count) {
    while (*live < count && r->c->limited_by == NULL) {
        fsim_error why = {0};
        fsim_wasm_message m;
        fsim_status status = fsim_worker_start(&r->worker, *live + 1u, &why);
        if (status == FSIM_OK) {
            status = fsim_worker_expect(&r->worker, FSIM_WASM_READY, r->patience_ns, &m, &why);
        }
        if (status != FSIM_OK) {
            bool descriptors = strstr(why.text, "ulimit -n") != NULL;
            r->c->limited_by = descriptors ? "descriptors" : status == FSIM_ELIMIT ? "processes" : "runtime";
            return FSIM_OK;
        }
        pids[*live] = m.value[FSIM_WASM_READY_PID];
        FSIM_TRY(call_and_wait(r, &r->worker, *live + 1u, &m));
        (*live)++;
        if (*live % 64u == 0) {
            report(r, 0.7 + 0.3 * *live / r->options->instances);
            if (1024.0 * read_kb("/proc/meminfo", "MemAvailable") < 0.1 * r->c->available_bytes) {
                r->c->limited_by = "memory";
            }
        }
    }
    return FSIM_OK;
}

static fsim_status measure_memory(run *r) {
    static const uint32_t steps[] = {1, 100, 1000, 5000, UINT32_MAX};
    uint64_t *pids = calloc(r->options->instances, sizeof *pids);
    uint32_t live = 0;
    fsim_status status = pids != NULL ? FSIM_OK
                                      : fsim_fail(r->err, FSIM_ELIMIT, "out of memory for %u instances",
                                                  r->options->instances);
    r->c->available_bytes = 1024.0 * read_kb("/proc/meminfo", "MemAvailable");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == FSIM_OK; i++) {
        uint32_t want = steps[i] < r->options->instances ? steps[i] : r->options->instances;
        if (want <= live || r->c->limited_by != NULL) {
            break;
        }
        status = grow(r, pids, &live, want);
        if (status == FSIM_OK && live > 0) {
            weigh(r, pids, live);
        }
    }
    free(pids);
    r->c->density = live;
    r->c->limited_by = r->c->limited_by == NULL ? "asked" : r->c->limited_by;
    return status;
}

/* ---- all ---- */

/* Figures hold for machines like this one: processor, cores, memory, kernel. */
static void describe_machine(char *out, size_t size) {
    char line[512], model[128] = "unknown processor";
    struct utsname u;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            colon[1 + strcspn(colon + 1, "\n")] = '\0';
            snprintf(model, sizeof model, "%.120s", colon + 2);
            break;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    uname(&u);
    snprintf(out, size, "%s, %s, %ld cores, %.0f GiB, Linux %.32s", u.machine, model,
             sysconf(_SC_NPROCESSORS_ONLN), read_kb("/proc/meminfo", "MemTotal") / (1024.0 * 1024.0),
             u.release);
}

static fsim_status measure(run *r) {
    static const uint32_t parallel[FSIM_PARALLEL_STEPS] = {1, 2, 4, 8};
    FSIM_TRY(load(r));
    report(r, 0.05);
    if (r->options->brief) {
        FSIM_TRY(measure_zygote(r));
        return measure_calls(r);
    }
    FSIM_TRY(measure_phases(r, WARM_ROUNDS, false));
    fsim_wasm_message loaded;
    while (r->c->compile.n < COMPILES) { /* only now: a module that fails has failed by then */
        FSIM_TRY(compile(r, &loaded));
    }
    report(r, 0.1);
    FSIM_TRY(measure_phases(r, COLD_ROUNDS, true));
    FSIM_TRY(measure_zygote(r));
    FSIM_TRY(measure_processes(r));
    FSIM_TRY(measure_calls(r));
    uint32_t rounds = r->options->calls / 20 + 1;
    for (int i = 0; i < FSIM_PARALLEL_STEPS; i++) {
        FSIM_TRY(measure_parallel(r, &r->c->parallel[i], parallel[i], rounds));
        report(r, 0.6 + 0.1 * (i + 1) / FSIM_PARALLEL_STEPS);
    }
    return measure_memory(r);
}

fsim_status fsim_calibrate(fsim_calibration *out, const char *module, const fsim_calibration_options *options,
                           fsim_error *err) {
    run r = {.c = out,
             .options = options,
             .module = module,
             .patience_ns = options->limits.wall_ns + 30 * FSIM_SECOND,
             .err = err};
    memset(out, 0, sizeof *out);
    describe_machine(out->machine_class, sizeof out->machine_class);
    if (!fsim_progress_begin(&r.progress, 1, options->quiet)) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_status status = measure(&r);
    fsim_worker_close(&r.worker);
    fsim_progress_end(&r.progress);
    return status;
}

void fsim_calibration_destroy(fsim_calibration *c) {
    fsim_samples *all[] = {&c->compile, &c->in_process, &c->zygote,      &c->ready,  &c->ready_at,
                           &c->process, &c->native,     &c->service,     &c->due_at, &c->dispatch,
                           &c->call,    &c->cpu,        &c->instructions};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->x);
    }
    for (int p = 0; p < FSIM_WASM_PHASE_COUNT; p++) {
        free(c->warm_cache[p].x);
        free(c->cold_cache[p].x);
    }
    for (int i = 0; i < FSIM_PARALLEL_STEPS; i++) {
        free(c->parallel[i].span.x);
    }
    memset(c, 0, sizeof *c);
}
