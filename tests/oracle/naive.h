/* A second simulator, for tests only: the core rules of the product contract (section 2) and of the contract
 * additions (section 4) written down as plainly as possible, so that reading it is enough to believe it.
 * Every event sits in one sorted list, every question is answered by looking at all instances, every integral
 * is advanced at every event. The engine must give the same integers.
 *
 * Provisioned instances are taken first, the rule chooses among them and then among the others.
 *
 * Covered: early and late binding, k slots an instance, constant cold starts, a constant keep-alive window
 * (or none), five deterministic routing orders, max_instances, provisioned instances, a queue with capacity
 * and time-out, account and memory limits, start rates (fixed window, sliding window, token bucket), retries,
 * cancelled starts, session affinity, crashes (after a constant lifetime, and the oldest at given instants)
 * and retries of what they end, versions of a function, warm-up, `until`. Durations are given with the
 * arrivals: nothing is drawn. Cost: O(events x instances). */
#ifndef FSIM_TESTS_NAIVE_H
#define FSIM_TESTS_NAIVE_H

#include "api/policy_api.h"
#include "model/result.h"

#define NAIVE_FUNCTIONS_MAX 4
#define NAIVE_STRIKES_MAX   4
#define NAIVE_NO_INSTANCE   UINT32_MAX

typedef struct naive_function {
    fsim_ns cold_ns;
    int64_t memory_mb;
    uint32_t slots;
    uint32_t max_instances; /* FSIM_UNLIMITED */
    uint32_t provisioned;
    bool has_sessions;
    fsim_session_spec session;
    fsim_ns lifetime_ns; /* of an instance from readiness to its crash; FSIM_NEVER */
    uint32_t strike_count;
    fsim_ns strikes_ns[NAIVE_STRIKES_MAX]; /* ascending: the oldest ready instance crashes */
} naive_function;

typedef struct naive_arrival {
    fsim_ns at_ns, service_ns;
    uint32_t fn;
    uint32_t session; /* 0: none */
} naive_arrival;

typedef struct naive_world {
    uint32_t function_count;
    naive_function functions[NAIVE_FUNCTIONS_MAX];
    bool versions; /* they are versions of one function, to which max_instances (the same for all) and a
                      function's start rate belong; without queues only */
    uint32_t arrival_count;
    const naive_arrival *arrivals; /* ascending */
    fsim_route_order route;        /* one of the orders that draw nothing */
    bool late, cancel_start;
    bool remove_at_completion; /* keep-alive "none" */
    fsim_ns window_ns;         /* FSIM_NEVER: kept for ever */
    uint64_t queue_capacity;   /* waiting places of each function; UINT64_MAX */
    fsim_ns queue_timeout_ns;  /* FSIM_NEVER */
    uint64_t account_concurrency;
    int64_t memory_quota_mb;
    fsim_start_limit start_rate;
    bool retry_on_429, retry_on_failed;
    fsim_ns retry_ns;
    uint32_t retry_factor;
    uint64_t retry_attempts;
    fsim_ns warmup_ns, until_ns; /* until: FSIM_NEVER */
} naive_world;

typedef enum naive_outcome {
    NAIVE_IN_SYSTEM,
    NAIVE_COMPLETED,
    NAIVE_REJECTED_429,
    NAIVE_REJECTED_503,
    NAIVE_TIMED_OUT,
    NAIVE_FAILED
} naive_outcome;

/* What became of one arrival, in the order of the arrivals. */
typedef struct naive_request {
    fsim_ns start_ns, end_ns; /* FSIM_NEVER: did not happen */
    uint32_t instance;        /* in order of creation; NAIVE_NO_INSTANCE */
    uint32_t retries;
    bool cold, waiting;
    bool at_instance; /* waits for a slot of its session's instance */
    naive_outcome outcome;
} naive_request;

/* As fsim_scope of the engine. */
typedef struct naive_scope {
    uint64_t arrived, completed, rejected_429, rejected_503, timed_out, failed, in_system_at_end, retries;
    uint64_t throttled[6]; /* fsim_cause */
    uint64_t cold_triggered, cold_affected, started, removed, crashed, waited;
    int64_t latency_ns, wait_ns, service_ns, latency_max_ns, wait_max_ns;
    int64_t in_execution_ns, in_execution_sq_ns, starting_ns, busy_ns, idle_ns, queue_ns;
    uint64_t sessions_started, sessions_expired, sessions_cut, sessions_lost, sessions_at_end;
    uint64_t sessions_followed, sessions_elsewhere;
    uint64_t in_execution_peak, instances_peak, queue_peak, alive_at_end;
} naive_scope;

typedef struct naive_result {
    fsim_ns end_ns, horizon_ns;
    naive_scope total, per_function[NAIVE_FUNCTIONS_MAX];
    naive_request *requests; /* arrival_count */
} naive_result;

void naive_run(naive_result *result, const naive_world *world);
void naive_result_clear(naive_result *result);

#endif
