#include "cli/bench_rows.h"

#include "base/rng.h"
#include "core/event_queue.h"

#include <stdlib.h>

#define JSON(...) #__VA_ARGS__
#define MILLION   UINT64_C(1000000)

/* clang-format off */

/* 100,000 requests/s of 20 ms: 2,000 in execution. */
#define ARRIVALS "\"workload\": {\"source\": \"poisson\", \"rate\": 100000}"
#define SCENARIO(rest) "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\", " ARRIVALS ", " rest "}"
#define SERVICE "\"service\": {\"dist\": \"exponential\", \"mean\": \"20ms\"}"
#define BOOKS "\"billing\": [\"phase1\", \"phase2\", \"phase3\"]"
#define LAMBDA "\"policy\": {\"bundle\": \"lambda\"}, \"platform\": {\"account_concurrency\": null, \"start_rate\": null, \"gateway\": null}"
#define ONE_FUNCTION SCENARIO("\"functions\": [{\"name\": \"fn\", " SERVICE "}], " LAMBDA ", " BOOKS)
/* Requests of 1 s: a load of 2 is 2 requests/s. Long beside the cold start, so that the row shows the steady state. */
#define MANY_FUNCTIONS(count, rate, load) \
    "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\"," \
    " \"workload\": {\"source\": \"poisson_many\", \"functions\": " count ", \"rate\": " rate "}," \
    " \"functions\": [{\"name\": \"*\", \"service\": {\"dist\": \"exponential\", \"mean\": \"1s\"}}], " LAMBDA ", " BOOKS "}"

/* A day of 400 functions, kept 10 minutes; published samples stand beside the clone. */
#define AZURE_DAY "../shared/traces/azure2019_d01_400"
/* What `fsim generate workloads/azure-like.json --to azure -o results/azure-like` has made, and the same with
 * --until 14d into results/azure-like-14d. */
#define AZURE_LIKE    "results/azure-like"
#define AZURE_LIKE_14 "results/azure-like-14d"
#define AZURE(files, account) \
    "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\"," \
    " \"workload\": {\"source\": \"trace\", \"files\": [\"" files "\"]}," \
    " \"policy\": {\"bundle\": \"lambda\", \"keepalive\": {\"name\": \"fixed\", \"window\": \"600s\"}}," \
    " \"platform\": {\"account_concurrency\": " account ", \"start_rate\": null, \"gateway\": null}, " BOOKS "}"

const fsim_bench_row fsim_bench_rows[] = {
    {.name = "bare-loop", .summary = "event queue, stack of idle instances, random numbers: nothing else",
     .kind = FSIM_BENCH_BARE, .requests = 20 * MILLION},
    {.name = "lambda-1fn", .summary = "100,000 requests/s of 20 ms, percentiles, all meters",
     .kind = FSIM_BENCH_SCENARIO, .requests = 20 * MILLION, .scenario = ONE_FUNCTION},
    {.name = "no-metering", .summary = "the same without meters",
     .kind = FSIM_BENCH_SCENARIO, .requests = 20 * MILLION, .scenario = ONE_FUNCTION, .no_metering = true},
    {.name = "knative-cc100", .summary = "the same arrivals, knative, 100 requests in an instance",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION,
     .scenario = SCENARIO("\"functions\": [{\"name\": \"fn\", \"concurrency\": 100, " SERVICE "}],"
                          " \"policy\": {\"bundle\": \"knative\"}, " BOOKS)},
    {.name = "fns-1000", .summary = "1,000 functions, load 2 each",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION, .scenario = MANY_FUNCTIONS("1000", "2000", "2")},
    {.name = "cloud-run", .summary = "the same functions under cloud-run, 80 requests in an instance",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION,
     .scenario = "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\","
                 " \"workload\": {\"source\": \"poisson_many\", \"functions\": 1000, \"rate\": 2000},"
                 " \"functions\": [{\"name\": \"*\", \"service\": {\"dist\": \"exponential\", \"mean\": \"1s\"}}],"
                 " \"policy\": {\"bundle\": \"cloud-run\"}, " BOOKS "}"},
    {.name = "fns-20000", .summary = "20,000 functions, load 1 each",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION, .scenario = MANY_FUNCTIONS("20000", "20000", "1")},
    {.name = "hpa", .summary = "1,000 functions, 100 requests/s of 20 ms each, under a Horizontal Pod Autoscaler",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION,
     .scenario = "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\","
                 " \"workload\": {\"source\": \"poisson_many\", \"functions\": 1000, \"rate\": 100000},"
                 " \"functions\": [{\"name\": \"*\", \"concurrency\": null, \"vcpu\": 1, " SERVICE "}],"
                 " \"policy\": {\"bundle\": \"hpa\"}, " BOOKS "}"},
    {.name = "lambda-refused", .summary = "an account limit of 1: nearly every request refused",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION,
     .scenario = SCENARIO("\"functions\": [{\"name\": \"fn\", " SERVICE "}], \"policy\": {\"bundle\": \"lambda\"},"
                          " \"platform\": {\"account_concurrency\": 1}, " BOOKS)},
    {.name = "lambda-queued", .summary = "2,001 instances for a load of 2,000: nearly every request waits",
     .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION,
     .scenario = SCENARIO("\"functions\": [{\"name\": \"fn\", \"max_instances\": 2001, " SERVICE "}],"
                          " \"policy\": {\"bundle\": \"lambda\", \"binding\": \"late\"},"
                          " \"platform\": {\"account_concurrency\": null, \"start_rate\": null, \"gateway\": null,"
                          " \"queue\": {\"capacity\": null}}, " BOOKS)},
    {.name = "ps-4slots", .summary = "processor sharing, 4 slots on one vCPU",
     .kind = FSIM_BENCH_SCENARIO, .requests = 5 * MILLION,
     .scenario = SCENARIO("\"functions\": [{\"name\": \"fn\", \"concurrency\": 4, \"vcpu\": 1, \"cpu_model\": \"ps\", "
                          SERVICE "}], \"policy\": {\"bundle\": \"none\"}, " BOOKS)},
    {.name = "scale-1e6", .summary = "lambda-1fn with 10^6 requests",
     .kind = FSIM_BENCH_SCENARIO, .requests = MILLION, .scenario = ONE_FUNCTION},
    {.name = "scale-1e7", .summary = "10^7", .kind = FSIM_BENCH_SCENARIO, .requests = 10 * MILLION, .scenario = ONE_FUNCTION},
    {.name = "scale-1e8", .summary = "10^8", .kind = FSIM_BENCH_SCENARIO, .requests = 100 * MILLION, .scenario = ONE_FUNCTION},
    {.name = "scale-1e9", .summary = "10^9 (--long)",
     .kind = FSIM_BENCH_SCENARIO, .requests = 1000 * MILLION, .scenario = ONE_FUNCTION, .only_long = true},
    {.name = "csv-1e7", .summary = "a trace of 10^7 rows, two columns, from file to summary",
     .kind = FSIM_BENCH_CSV, .requests = 10 * MILLION,
     .scenario = JSON({"schema": "fsim.scenario/1", "name": "bench", "workload": {"source": "csv"},
                       "functions": [{"name": "fn"}], "policy": {"bundle": "lambda"},
                       "platform": {"account_concurrency": null, "start_rate": null, "gateway": null}})},
    {.name = "fst-read", .summary = "a columnar trace of 10^8 rows, three columns, read alone",
     .kind = FSIM_BENCH_FST_READ, .requests = 100 * MILLION,
     .scenario = JSON({"schema": "fsim.scenario/1", "name": "bench", "workload": {"source": "fst"}, "functions": [{"name": "fn"}]})},
    {.name = "fst-sim", .summary = "the same simulated, lambda, all meters",
     .kind = FSIM_BENCH_FST, .requests = 100 * MILLION,
     .scenario = "{\"schema\": \"fsim.scenario/1\", \"name\": \"bench\", \"workload\": {\"source\": \"fst\"},"
                 " \"functions\": [{\"name\": \"fn\"}], " LAMBDA ", " BOOKS "}"},
    {.name = "csv-to-fst", .summary = "fsim convert: 10^7 rows of CSV into a columnar trace",
     .kind = FSIM_BENCH_CONVERT, .requests = 10 * MILLION},
    {.name = "azure-day", .summary = "Azure 2019, 400 functions, one day, kept 10 min, from files to summary",
     .kind = FSIM_BENCH_TRACE, .requests = 18452673, .scenario = AZURE(AZURE_DAY, "null"), .needs = AZURE_DAY},
    {.name = "azure-shared", .summary = "the same with one account limit for all of them",
     .kind = FSIM_BENCH_TRACE, .requests = 18452673, .scenario = AZURE(AZURE_DAY, "1000"), .needs = AZURE_DAY},
    {.name = "azure-46k", .summary = "a generated day of that trace's size, 46,000 functions, from files to summary",
     .kind = FSIM_BENCH_TRACE, .requests = 899720717, .scenario = AZURE(AZURE_LIKE, "null"), .needs = AZURE_LIKE},
    {.name = "azure-46k-14d", .summary = "fourteen such days (--long)",
     .kind = FSIM_BENCH_TRACE, .requests = UINT64_C(12599522018), .scenario = AZURE(AZURE_LIKE_14, "null"),
     .needs = AZURE_LIKE_14, .only_long = true},
    {.name = "hello", .summary = "the command on a trace of 1,000 rows, results and all",
     .kind = FSIM_BENCH_HELLO, .requests = 1000},
    {.name = NULL},
};
/* clang-format on */

enum { BLOCK = 1024, POOL = 1 << 16 };

typedef struct bare {
    fsim_event_queue queue;
    fsim_rng gaps, services;
    fsim_ns gap_ns[BLOCK], service_ns[BLOCK];
    uint32_t idle[POOL];
    uint32_t idle_count, instances;
    fsim_ns now_ns;
    uint64_t digest;
} bare;

static void draw_block(bare *b) {
    for (uint32_t i = 0; i < BLOCK; i++) {
        b->gap_ns[i] = (fsim_ns)(fsim_rng_exponential(&b->gaps) * 1e4 + 0.5);
        b->service_ns[i] = (fsim_ns)(fsim_rng_exponential(&b->services) * 2e7 + 0.5);
    }
}

static void serve_block(bare *b) {
    for (uint32_t i = 0; i < BLOCK; i++) {
        fsim_ns at_ns = b->now_ns + b->gap_ns[i];
        while (fsim_event_queue_next_ns(&b->queue) <= at_ns) {
            fsim_event done = fsim_event_queue_pop(&b->queue);
            b->digest = b->digest * 31 + (uint64_t)done.at_ns;
            b->idle[b->idle_count++] = done.target;
        }
        b->now_ns = at_ns;
        uint32_t instance = b->idle_count > 0 ? b->idle[--b->idle_count] : b->instances++;
        fsim_event_queue_push(&b->queue, at_ns, (fsim_event){at_ns + b->service_ns[i], instance, 0});
    }
}

uint64_t fsim_bench_bare_loop(uint64_t requests) {
    bare *b = calloc(1, sizeof *b);
    if (b == NULL || !fsim_event_queue_init(&b->queue, POOL)) {
        free(b);
        return 0;
    }
    fsim_rng_seed(&b->gaps, 1, "bare", FSIM_RNG_ARRIVALS);
    fsim_rng_seed(&b->services, 1, "bare", FSIM_RNG_SERVICE);
    for (uint64_t done = 0; done < requests && b->instances < POOL; done += BLOCK) {
        draw_block(b);
        serve_block(b);
    }
    uint64_t digest = b->digest;
    fsim_event_queue_deinit(&b->queue);
    free(b);
    return digest;
}
