#include "cli/validate_cases.h"

#include "cli/queueing.h"

/* Predictions. The numbers are those of the scenarios below. */

static double loss(void) {
    return fsim_queueing_erlang_b(10, 8);
}

static double loss_busy(void) {
    return 8 * (1 - fsim_queueing_erlang_b(10, 8));
}

static double queue_p_wait(void) {
    return fsim_queueing_erlang_c(4, 3.2);
}

static double queue_wait(void) {
    return fsim_queueing_erlang_c_wait(4, 3.2, 1);
}

static double impatient(void) {
    return fsim_queueing_timed_out(4, 5, 1, 0.5);
}

static double general_wait(void) {
    return fsim_queueing_general_wait(0.6, 1, 0.25);
}

static double cores_wait(void) {
    return fsim_queueing_erlang_c_wait(4, 3.2, 1) + 1;
}

static double cores_constant(void) {
    return fsim_queueing_constant_wait(2, 1.6, 1) + 1;
}

static double cores_interrupted(void) {
    return fsim_queueing_interrupted_response(0.5, 1, 10, 2);
}

static double sharing_refused(void) {
    return fsim_queueing_sharing_refused(5, 0.8, 1);
}

static double sharing_response(void) {
    return fsim_queueing_sharing_response(5, 0.8, 1);
}

static double fixed_cold(void) {
    return fsim_queueing_fixed_keepalive(1, 1, 10).cold;
}

static double fixed_idle(void) {
    return fsim_queueing_fixed_keepalive(1, 1, 10).idle;
}

static double exponential_cold(void) {
    return fsim_queueing_exponential_keepalive(1, 1, 0.5, 10).cold;
}

static double exponential_idle(void) {
    return fsim_queueing_exponential_keepalive(1, 1, 0.5, 10).idle;
}

static double exponential_starting(void) {
    return fsim_queueing_exponential_keepalive(1, 1, 0.5, 10).starting;
}

static double setup_one(void) {
    return fsim_queueing_setup_one(0.5, 1, 5);
}

static double setup_many(void) {
    return fsim_queueing_setup_many(5, 1, 10);
}

static double high_water(void) {
    return fsim_queueing_high_water(0.9, 1.991, 3600);
}

/* Scenarios: JSON made into a string by the preprocessor, so that it reads as JSON. */
#define JSON(...) #__VA_ARGS__

/* clang-format off */
const fsim_validate_case fsim_validate_cases[] = {
    {"erlang-b", "M/M/c/c: 10 instances, load 8, no queue",
     JSON({"schema": "fsim.scenario/1", "name": "erlang-b",
           "workload": {"source": "poisson", "rate": 8, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"}, "max_instances": 10}],
           "policy": {"bundle": "none"}, "billing": [],
           "run": {"warmup": "200s", "replications": 10}}),
     {{"refused", "requests.rejected_429 / requests.arrived", loss, 0, false},
      {"busy instances", "instances.mean_busy", loss_busy, 0, false}}},

    {"erlang-b-insensitive", "M/G/c/c: the same with lognormal service, cv 2",
     JSON({"schema": "fsim.scenario/1", "name": "erlang-b-insensitive",
           "workload": {"source": "poisson", "rate": 8, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "lognormal", "mean": "1s", "cv": 2}, "max_instances": 10}],
           "policy": {"bundle": "none"}, "billing": [],
           "run": {"warmup": "200s", "replications": 10}}),
     {{"refused", "requests.rejected_429 / requests.arrived", loss, 0, false}}},

    {"erlang-c", "M/M/c: 4 instances, load 3.2, one queue",
     JSON({"schema": "fsim.scenario/1", "name": "erlang-c",
           "workload": {"source": "poisson", "rate": 3.2, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"},
                          "provisioned": 4, "max_instances": 4}],
           "policy": {"bundle": "none", "binding": "late"}, "platform": {"queue": {"capacity": null}}, "billing": [],
           "run": {"warmup": "500s", "replications": 10}}),
     {{"share that waits", "wait_s.p_wait", queue_p_wait, 0, false},
      {"mean wait, s", "wait_s.mean", queue_wait, 0, false}}},

    {"queue-timeout", "M/M/c+D: 4 instances, load 5, patience 0.5 s",
     JSON({"schema": "fsim.scenario/1", "name": "queue-timeout",
           "workload": {"source": "poisson", "rate": 5, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"},
                          "provisioned": 4, "max_instances": 4}],
           "policy": {"bundle": "none", "binding": "late"},
           "platform": {"queue": {"capacity": null, "timeout": "500ms"}}, "billing": [],
           "run": {"warmup": "500s", "replications": 10}}),
     {{"timed out", "requests.timed_out / requests.arrived", impatient, 0, false}}},

    {"general-service", "M/G/1: Erlang-4 service, load 0.6",
     JSON({"schema": "fsim.scenario/1", "name": "general-service",
           "workload": {"source": "poisson", "rate": 0.6, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "erlang", "k": 4, "mean": "1s"},
                          "provisioned": 1, "max_instances": 1}],
           "policy": {"bundle": "none", "binding": "late"}, "platform": {"queue": {"capacity": null}}, "billing": [],
           "run": {"warmup": "500s", "replications": 10}}),
     {{"mean wait, s", "wait_s.mean", general_wait, 0, false}}},

    {"processor-sharing", "M/G/1/5-PS: one instance, 5 slots on one vCPU, gamma service",
     JSON({"schema": "fsim.scenario/1", "name": "processor-sharing",
           "workload": {"source": "poisson", "rate": 0.8, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "gamma", "k": 0.5, "mean": "1s"}, "concurrency": 5,
                          "vcpu": 1, "cpu_model": "ps", "provisioned": 1, "max_instances": 1}],
           "policy": {"bundle": "none"}, "billing": [],
           "run": {"warmup": "500s", "replications": 10}}),
     {{"refused", "requests.rejected_429 / requests.arrived", sharing_refused, 0, false},
      {"mean response, s", "latency_s.mean", sharing_response, 0, false}}},

    {"node-cores", "M/M/c: an instance for each request, on a node of 4 cores",
     JSON({"schema": "fsim.scenario/1", "name": "node-cores",
           "workload": {"source": "poisson", "rate": 3.2, "requests": 200000},
           "functions": [{"name": "fn", "memory_mb": 1, "vcpu": 1, "service": {"dist": "exponential", "mean": "1s"}}],
           "policy": {"bundle": "none"}, "billing": [],
           "platform": {"nodes": {"count": 1, "vcpu": 4, "memory": "1TB", "cpu_model": "fcfs"}},
           "run": {"warmup": "500s", "replications": 10}}),
     {{"mean response, s", "latency_s.mean", cores_wait, 0, false}}},

    {"node-cores-constant", "M/D/c: constant service on a node of 2 cores, load 1.6",
     JSON({"schema": "fsim.scenario/1", "name": "node-cores-constant",
           "workload": {"source": "poisson", "rate": 1.6, "requests": 200000},
           "functions": [{"name": "fn", "memory_mb": 1, "vcpu": 1, "service": "1s"}],
           "policy": {"bundle": "none"}, "billing": [],
           "platform": {"nodes": {"count": 1, "vcpu": 2, "memory": "1TB", "cpu_model": "fcfs"}},
           "run": {"warmup": "500s", "replications": 10}}),
     {{"mean response, s", "latency_s.mean", cores_constant, 0, false}}},

    {"node-cores-interrupted", "M/M/1: a core that is away for 2 s after 10 s, both exponential, load 0.5",
     JSON({"schema": "fsim.scenario/1", "name": "node-cores-interrupted",
           "workload": {"source": "poisson", "rate": 0.5, "requests": 200000},
           "functions": [{"name": "fn", "memory_mb": 1, "vcpu": 1, "service": {"dist": "exponential", "mean": "1s"}}],
           "policy": {"bundle": "none"}, "billing": [],
           "platform": {"nodes": {"count": 1, "vcpu": 1, "memory": "1TB", "cpu_model": "fcfs",
             "interruptions": {"every": {"dist": "exponential", "mean": "10s"},
                               "for": {"dist": "exponential", "mean": "2s"}}}},
           "run": {"warmup": "500s", "replications": 10}}),
     {{"mean response, s", "latency_s.mean", cores_interrupted, 0, false}}},

    {"keepalive-fixed", "M/M/inf pool, instances kept 10 s, newest idle first",
     JSON({"schema": "fsim.scenario/1", "name": "keepalive-fixed",
           "workload": {"source": "poisson", "rate": 1, "requests": 400000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"}}],
           "policy": {"bundle": "none", "keepalive": {"name": "fixed", "window": "10s"},
                      "routing": {"name": "newest_idle"}}, "billing": [],
           "run": {"warmup": "1000s", "replications": 10}}),
     {{"cold requests", "cold.affected / requests.arrived", fixed_cold, 0, false},
      {"idle instances", "instances.mean_idle", fixed_idle, 0, false}}},

    {"keepalive-exponential", "M/M/inf pool with starts of 0.5 s, exponential keep-alive, any routing",
     JSON({"schema": "fsim.scenario/1", "name": "keepalive-exponential",
           "workload": {"source": "poisson", "rate": 1, "requests": 400000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"},
                          "cold_start": {"dist": "exponential", "mean": "500ms"}}],
           "policy": {"bundle": "none", "routing": {"name": "random"},
                      "keepalive": {"name": "fixed", "window": {"dist": "exponential", "mean": "10s"}}}, "billing": [],
           "run": {"warmup": "1000s", "replications": 10}}),
     {{"cold requests", "cold.affected / requests.arrived", exponential_cold, 0, false},
      {"idle instances", "instances.mean_idle", exponential_idle, 0, false},
      {"starting instances", "instances.mean_starting", exponential_starting, 0, false}}},

    {"setup-one", "M/M/1 with setup of 5 s, off when nobody waits",
     JSON({"schema": "fsim.scenario/1", "name": "setup-one",
           "workload": {"source": "poisson", "rate": 0.5, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"},
                          "cold_start": {"dist": "exponential", "mean": "5s"}, "max_instances": 1}],
           "policy": {"bundle": "none", "binding": "late", "cancel_start": true, "keepalive": {"name": "none"}},
           "platform": {"queue": {"capacity": null}}, "billing": [],
           "run": {"warmup": "1000s", "replications": 10}}),
     {{"mean response, s", "latency_s.mean", setup_one, 0, false}}},

    {"setup-many", "M/M/inf with setup of 10 s, starts cancelled when nobody waits",
     JSON({"schema": "fsim.scenario/1", "name": "setup-many",
           "workload": {"source": "poisson", "rate": 5, "requests": 200000},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1s"},
                          "cold_start": {"dist": "exponential", "mean": "10s"}}],
           "policy": {"bundle": "none", "binding": "late", "cancel_start": true, "keepalive": {"name": "none"}},
           "platform": {"queue": {"capacity": null}}, "billing": [],
           "run": {"warmup": "1000s", "replications": 10}}),
     {{"mean response, s", "latency_s.mean", setup_many, 0, false}}},

    {"high-water", "M/M/inf, instances kept for ever: most at once in the first hour",
     JSON({"schema": "fsim.scenario/1", "name": "high-water",
           "workload": {"source": "poisson", "rate": 0.9},
           "functions": [{"name": "fn", "service": {"dist": "exponential", "mean": "1.991s"}}],
           "policy": {"bundle": "none", "keepalive": {"name": "fixed", "window": null}}, "billing": [],
           "run": {"until": "1h", "replications": 400}}),
     {{"instances started", "instances.started", high_water, 0, false}}},

    {"probe", "one request every 10 s for a day, kept 9.8 s",
     JSON({"schema": "fsim.scenario/1", "name": "probe",
           "workload": {"source": "constant", "interval": "10s", "requests": 8640},
           "functions": [{"name": "fn", "service": "100ms"}],
           "policy": {"bundle": "none", "keepalive": {"name": "fixed", "window": "9.8s"}}, "billing": []}),
     {{"cold requests", "cold.triggered", NULL, 8640, true}}},

    {"probe-kept", "the same, kept 9.9 s: idle time does not exceed it",
     JSON({"schema": "fsim.scenario/1", "name": "probe-kept",
           "workload": {"source": "constant", "interval": "10s", "requests": 8640},
           "functions": [{"name": "fn", "service": "100ms"}],
           "policy": {"bundle": "none", "keepalive": {"name": "fixed", "window": "9.9s"}}, "billing": []}),
     {{"cold requests", "cold.triggered", NULL, 1, true}}},

    {"start-rate", "2,000 requests/s need 2,000 instances, 500 starts a minute",
     JSON({"schema": "fsim.scenario/1", "name": "start-rate",
           "workload": {"source": "constant", "interval": "500us", "offset": "250us", "requests": 600000},
           "functions": [{"name": "fn", "service": "999.75ms"}],
           "policy": {"bundle": "none"},
           "platform": {"start_rate": {"kind": "fixed", "n": 500, "window": "60s", "scope": "function"}},
           "billing": [], "run": {"windows": {"every": "60s"}}}),
     {{"refused in minute 1", "windows[0].rejected_429", NULL, 90000, true},
      {"refused in minute 2", "windows[1].rejected_429", NULL, 60000, true},
      {"refused in minute 3", "windows[2].rejected_429", NULL, 30000, true},
      {"refused in minute 4", "windows[3].rejected_429", NULL, 0, true},
      {"instances then", "windows[3].instances_end", NULL, 2000, true}}},

    {"identities", "conservation, Little's law, states of instances, under limits and time-outs",
     JSON({"schema": "fsim.scenario/1", "name": "identities",
           "workload": {"source": "poisson", "rate": 20, "requests": 100000},
           "functions": [{"name": "fn", "service": {"dist": "lognormal", "mean": "300ms", "cv": 3}, "concurrency": 2,
                          "cold_start": {"dist": "uniform", "min": "100ms", "max": "3s"}, "max_instances": 4}],
           "policy": {"bundle": "none", "binding": "late", "keepalive": {"name": "fixed", "window": "2s"}},
           "platform": {"queue": {"capacity": 20, "timeout": "1s"}}, "billing": []}),
     {{"arrived / accounted for",
       "requests.arrived / (requests.completed + requests.rejected_429 + requests.rejected_503"
       " + requests.timed_out + requests.failed + requests.in_system_at_end)", NULL, 1, true},
      {"Little: execution",
       "concurrency.mean * horizon_s / (service_s.mean * requests.completed)", NULL, 1, true},
      {"instances / sum of states",
       "instances.mean / (instances.mean_starting + instances.mean_busy + instances.mean_idle)", NULL, 1, true}}},

    {"billing", "36,000 overlapping requests of 40 ms at 4 % CPU on one instance of 1 GB",
     JSON({"schema": "fsim.scenario/1", "name": "billing",
           "workload": {"source": "constant", "interval": "10ms", "requests": 36000},
           "functions": [{"name": "fn", "service": "40ms", "concurrency": 4, "memory_mb": 1024, "vcpu": 1,
                          "cpu_fraction": 0.01}],
           "policy": {"bundle": "none"}, "billing": ["phase1", "phase2", "phase3"]}),
     /* requests 36000 x 0.15e-6 = 0.0054; vCPU-s 20e-6, GB-s 3e-6; 1440 s of requests, 360.03 s with one inside */
     {{"per request", "bills.phase1.total", NULL, 0.0054 + 1440 * 23e-6, true},
      {"per active interval", "bills.phase2.total", NULL, 0.0054 + 360.03 * 23e-6, true},
      {"CPU threshold", "bills.phase3.total", NULL, 0.0054 + 360.03 * 3e-6, true}}},

    {.name = NULL},
};
/* clang-format on */
