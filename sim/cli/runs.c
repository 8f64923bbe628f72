#include "cli/runs.h"

#include "api/source_api.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/row_writer.h"
#include "cli/trace_note.h"
#include "io/embedded.h"
#include "io/json_reader.h"

#include <stdlib.h>
#include <string.h>

/* One policy and one replication. */
typedef struct job {
    struct runner *runner;
    fsim_policy_run *policy;
    uint32_t index, replication;
    json_t *summary;
    double wall_s;
    uint64_t requests;
    fsim_status status;
    fsim_error err;
} job;

typedef struct runner {
    const fsim_runs_options *options;
    fsim_progress progress;
    fsim_row_writer *writer; /* NULL: rows are not asked for */
    job *jobs;
    uint32_t count;
    uint32_t threads_each; /* of a run; many runs share the cores as they are */
} runner;

uint64_t fsim_runs_seed(uint64_t seed, uint32_t replication) {
    if (replication == 0) {
        return seed;
    }
    uint64_t hash = fsim_hash_bytes(FSIM_HASH_START, &seed, sizeof seed);
    hash = fsim_hash_bytes(hash, &replication, sizeof replication);
    return hash & INT64_MAX; /* seeds are whole numbers of JSON */
}

static fsim_status out_of_memory(fsim_error *err) {
    return fsim_fail(err, FSIM_ELIMIT, "out of memory");
}

/* ---- loading ---- */

static fsim_status allocate(fsim_runs *runs, uint32_t count, fsim_error *err) {
    *runs = (fsim_runs){.count = count};
    runs->policies = calloc(count, sizeof *runs->policies);
    return runs->policies == NULL ? out_of_memory(err) : FSIM_OK;
}

/* The names in the list, with those that "all" stands for; how many. Beyond `max` they are counted only. */
static uint32_t expand_policies(const fsim_word_list *policies, const char **names, uint32_t max) {
    uint32_t count = 0;
    for (size_t i = 0; policies != NULL && i < policies->count; i++) {
        const fsim_embedded *bundle = fsim_embedded_bundles;
        bool all = strcmp(policies->items[i], "all") == 0;
        for (; all && bundle->name != NULL; bundle++) {
            if (strcmp(bundle->name, "none") != 0) {
                names[count < max ? count : 0] = bundle->name;
                count++;
            }
        }
        if (!all) {
            names[count < max ? count : 0] = policies->items[i];
            count++;
        }
    }
    return count;
}

fsim_status fsim_runs_load(fsim_runs *out, const fsim_load_options *load, const fsim_word_list *policies,
                           fsim_error *err) {
    const char *names[FSIM_POLICIES_MAX] = {0};
    uint32_t named = expand_policies(policies, names, FSIM_POLICIES_MAX), count = named > 0 ? named : 1;
    if (count > FSIM_POLICIES_MAX) {
        return fsim_fail_at(err, FSIM_ELIMIT, "--policy",
                            "%u policies, at most %d at once (FSIM_POLICIES_MAX)", count, FSIM_POLICIES_MAX);
    }
    char *document = NULL;
    FSIM_TRY(allocate(out, count, err));
    fsim_status status = fsim_scenario_take_stdin(load, &document, err);
    for (uint32_t i = 0; i < count && status == FSIM_OK; i++) {
        fsim_load_options one = *load;
        one.document = document;
        one.policy = named > 0 ? names[i] : one.policy;
        status = fsim_scenario_load(&out->policies[i].scenario, &one, err);
        if (status == FSIM_OK) {
            status = fsim_books_open(&out->policies[i].books, out->policies[i].scenario, err);
        }
    }
    free(document);
    if (status != FSIM_OK) {
        fsim_runs_destroy(out);
    }
    return status;
}

fsim_status fsim_runs_load_text(fsim_runs *out, const char *json, const char *origin,
                                const fsim_load_options *load, fsim_error *err) {
    FSIM_TRY(allocate(out, 1, err));
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_value *root = NULL;
    fsim_status status =
        pool == NULL ? out_of_memory(err) : fsim_json_read_text(pool, json, origin, &root, err);
    if (status == FSIM_OK) {
        status = fsim_scenario_from_tree(&out->policies[0].scenario, pool, root, NULL, load, err);
    } else if (pool != NULL) {
        fsim_value_pool_destroy(pool);
    }
    if (status == FSIM_OK) {
        status = fsim_books_open(&out->policies[0].books, out->policies[0].scenario, err);
    }
    if (status != FSIM_OK) {
        fsim_runs_destroy(out);
    }
    return status;
}

void fsim_runs_bill_a_month(fsim_runs *runs) {
    for (uint32_t i = 0; i < runs->count; i++) {
        runs->policies[i].books.month_ns = 30 * FSIM_DAY;
    }
}

void fsim_runs_destroy(fsim_runs *runs) {
    for (uint32_t i = 0; i < runs->count; i++) {
        fsim_policy_run *p = &runs->policies[i];
        json_decref(p->summary);
        for (uint32_t k = 0; p->each != NULL && k < p->scenario->replications; k++) {
            json_decref(p->each[k]);
        }
        free(p->each);
        fsim_result_destroy(p->result);
        free(p->invoices);
        fsim_books_close(&p->books);
        fsim_scenario_destroy(p->scenario);
    }
    free(runs->policies);
    fsim_trace_close(runs->trace);
    *runs = (fsim_runs){0};
}

void fsim_runs_records(const fsim_runs *runs, fsim_run_record *out) {
    for (uint32_t i = 0; i < runs->count; i++) {
        const fsim_policy_run *p = &runs->policies[i];
        out[i] = (fsim_run_record){p->scenario, p->result, p->summary};
    }
}

/* ---- running ---- */

static fsim_status on_request(void *user, const fsim_request_row *row, fsim_error *err) {
    const job *j = user;
    return fsim_row_writer_request(j->runner->writer, row, row->functions, err);
}

static bool on_progress(void *user, fsim_ns now_ns, double share, uint64_t arrived) {
    const job *j = user;
    fsim_ns until_ns = j->policy->scenario->until_ns;
    if (share < 0 && until_ns != FSIM_NEVER) {
        share = (double)now_ns / (double)until_ns;
    }
    fsim_progress_update(&j->runner->progress, j->index, (fsim_progress_run){share, now_ns, arrived});
    return !fsim_interrupt_seen();
}

/* The end of a run that ends by itself is known afterwards only. Means over no time would pass for results.
 */
static fsim_status check_measured(const fsim_scenario *s, const fsim_result *result, fsim_error *err) {
    char span[64], warmup[64];
    if (s->warmup_ns == 0 || result->horizon_ns > 0 || fsim_interrupt_seen()) {
        return FSIM_OK;
    }
    fsim_text_print_span(result->end_ns, span, sizeof span);
    fsim_text_print_span(s->warmup_ns, warmup, sizeof warmup);
    return fsim_value_fail(
        fsim_value_peek(fsim_value_peek(s->root, "run"), "warmup"), err,
        "nothing is left to measure: the run ends after %s, the warm-up of %s does not end "
        "before that",
        span, warmup);
}

/* Prices and summarises; keeps the result itself of the first replication only. */
static fsim_status digest_result(job *j, fsim_result *result) {
    fsim_policy_run *p = j->policy;
    fsim_invoice *invoices = NULL;
    fsim_status status = check_measured(p->scenario, result, &j->err);
    if (status == FSIM_OK && !j->runner->options->no_metering) {
        status = fsim_books_price(&invoices, &p->books, result, &j->err);
    }
    if (status == FSIM_OK) {
        uint32_t count = invoices == NULL ? 0 : p->books.count;
        j->summary = fsim_summary_brief_json(p->scenario, result, invoices, count);
        status = j->summary == NULL ? out_of_memory(&j->err) : FSIM_OK;
    }
    if (j->replication == 0) {
        p->result = result;
        p->invoices = invoices;
    } else {
        fsim_result_destroy(result);
        free(invoices);
    }
    return status;
}

static void do_job(void *user, uint32_t index) {
    runner *r = user;
    job *j = &r->jobs[index];
    if (fsim_interrupt_seen()) {
        return;
    }
    const fsim_run_options options = {
        .seed = fsim_runs_seed(j->policy->scenario->seed, j->replication),
        .on_request = r->writer == NULL ? NULL : on_request,
        .on_progress = on_progress,
        .user = j,
        .meters = &j->policy->books.meters,
        .no_metering = r->options->no_metering,
        .threads = r->threads_each,
    };
    fsim_result *result = NULL;
    double started_s = fsim_progress_clock_s();
    j->status = fsim_run(&result, j->policy->scenario, &options, &j->err);
    j->wall_s = fsim_progress_clock_s() - started_s;
    if (j->status == FSIM_OK) {
        j->requests = result->total.n.arrived;
        j->status = digest_result(j, result);
    }
    fsim_progress_update(&r->progress, index, (fsim_progress_run){1, 0, j->requests});
}

static fsim_status make_jobs(runner *r, fsim_runs *runs, fsim_error *err) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        count += runs->policies[i].scenario->replications;
    }
    fsim_assert(count > 0);
    r->jobs = count > UINT32_MAX ? NULL : calloc(count, sizeof *r->jobs);
    if (r->jobs == NULL) {
        return out_of_memory(err);
    }
    for (uint32_t i = 0; i < runs->count; i++) {
        for (uint32_t k = 0; k < runs->policies[i].scenario->replications; k++) {
            job *j = &r->jobs[r->count];
            j->runner = r;
            j->policy = &runs->policies[i];
            j->index = r->count++;
            j->replication = k;
        }
    }
    return FSIM_OK;
}

static bool reads_stdin(const fsim_scenario *scenario) {
    const fsim_value *file = fsim_value_get(scenario->workload, "file");
    return file != NULL && file->kind == FSIM_VALUE_STRING && strcmp(file->string, "-") == 0;
}

static fsim_status check_single(const runner *r, const fsim_runs *runs, fsim_error *err) {
    if (r->count > 1 && r->options->requests != NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--requests", "the rows of one run, but %u runs were asked for",
                            r->count);
    }
    if (r->count > 1 && reads_stdin(runs->policies[0].scenario)) {
        return fsim_fail(
            err, FSIM_EUSAGE,
            "standard input can be read once, but %u runs were asked for; put the trace in a file", r->count);
    }
    return FSIM_OK;
}

/* Jobs of one policy stand side by side, replication 0 first. */
static fsim_status put_together(const runner *r, fsim_runs *runs, fsim_error *err) {
    for (uint32_t i = 0; i < r->count; i++) {
        const job *j = &r->jobs[i];
        if (j->status != FSIM_OK) {
            *err = j->err;
            return j->status;
        }
    }
    if (fsim_interrupt_seen()) {
        return fsim_fail(err, FSIM_EIO, "interrupted; nothing was written");
    }
    uint32_t first = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        fsim_policy_run *p = &runs->policies[i];
        uint32_t count = p->scenario->replications;
        p->each = calloc(count, sizeof *p->each);
        if (p->each == NULL) {
            return out_of_memory(err);
        }
        for (uint32_t k = 0; k < count; k++) {
            p->each[k] = json_incref(r->jobs[first + k].summary);
            p->wall_s += r->jobs[first + k].wall_s;
            p->requests += r->jobs[first + k].requests;
        }
        p->summary = fsim_summary_replicated(p->each, count);
        if (p->summary == NULL) {
            return out_of_memory(err);
        }
        first += count;
    }
    return FSIM_OK;
}

static fsim_status run_jobs(runner *r, fsim_runs *runs, fsim_error *err) {
    fsim_row_writer writer;
    if (r->options->requests != NULL) {
        FSIM_TRY(fsim_row_writer_open(&writer, r->options->requests, FSIM_ROW_WRITER_REQUEST_HEADER, err));
        r->writer = &writer;
    }
    fsim_status status = FSIM_OK;
    if (fsim_progress_begin(&r->progress, r->count, r->options->quiet)) {
        uint32_t threads =
            r->options->threads != 0 ? r->options->threads : runs->policies[0].scenario->threads;
        double started_s = fsim_progress_clock_s();
        r->threads_each = r->count == 1 ? threads : 1;
        fsim_parallel(threads, r->count, do_job, r);
        runs->wall_s = fsim_progress_clock_s() - started_s;
        status = put_together(r, runs, err);
    } else {
        status = out_of_memory(err);
    }
    fsim_progress_end(&r->progress);
    return r->writer == NULL ? status : fsim_row_writer_close(&writer, status, err);
}

/* Every policy has the same workload. */
static fsim_status load_trace(fsim_runs *runs, const fsim_runs_options *options, fsim_error *err) {
    const fsim_scenario *first = runs->policies[0].scenario;
    if (runs->trace == NULL) {
        FSIM_TRY(fsim_workload_load_trace(&runs->trace, first->workload, first->base_dir, first->seed, err));
    }
    if (runs->trace != NULL && fsim_trace_buckets(runs->trace) == NULL) { /* rows are read anew by each run */
        fsim_trace_close(runs->trace);
        runs->trace = NULL;
    }
    for (uint32_t i = 0; i < runs->count; i++) {
        runs->policies[i].scenario->trace = runs->trace;
    }
    if (runs->trace != NULL && !options->quiet) {
        fsim_trace_note(stderr, fsim_trace_about(runs->trace), fsim_trace_buckets(runs->trace)->invocations);
    }
    return FSIM_OK;
}

fsim_status fsim_runs_execute(fsim_runs *runs, const fsim_runs_options *options, fsim_error *err) {
    runner r = {.options = options};
    FSIM_TRY(load_trace(runs, options, err));
    fsim_status status = make_jobs(&r, runs, err);
    if (status == FSIM_OK) {
        status = check_single(&r, runs, err);
    }
    if (status == FSIM_OK) {
        status = run_jobs(&r, runs, err);
    }
    for (uint32_t i = 0; i < r.count; i++) {
        json_decref(r.jobs[i].summary);
    }
    free(r.jobs);
    return status;
}
