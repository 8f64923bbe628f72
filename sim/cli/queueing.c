#include "cli/queueing.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double fsim_queueing_erlang_b(uint32_t servers, double load) {
    double inverse = 1;
    for (uint32_t j = 1; j <= servers; j++) {
        inverse = 1 + inverse * (double)j / load;
    }
    return 1 / inverse;
}

double fsim_queueing_erlang_c(uint32_t servers, double load) {
    double b = fsim_queueing_erlang_b(servers, load);
    return b / (1 - load / (double)servers * (1 - b));
}

double fsim_queueing_erlang_c_wait(uint32_t servers, double rate, double service) {
    return fsim_queueing_erlang_c(servers, rate * service) / ((double)servers / service - rate);
}

double fsim_queueing_timed_out(uint32_t servers, double rate, double service, double patience) {
    double load = rate * service, all = (double)servers / service;
    /* Weights of 0 … servers - 1 requests, then the density of the time until a server is free. */
    double weight = 1, fewer = 0, last = 0;
    for (uint32_t j = 0; j < servers; j++) {
        fewer += weight;
        last = weight;
        weight *= load / (double)(j + 1);
    }
    double drift = rate - all;
    double within = rate * last * (drift == 0 ? patience : expm1(drift * patience) / drift);
    double beyond = rate * last * exp(drift * patience) / all;
    return beyond / (fewer + within + beyond);
}

double fsim_queueing_sharing_refused(uint32_t places, double rate, double service) {
    double rho = rate * service, weight = 1, sum = 0;
    for (uint32_t n = 0; n < places; n++) {
        sum += weight;
        weight *= rho;
    }
    return weight / (sum + weight);
}

double fsim_queueing_sharing_response(uint32_t places, double rate, double service) {
    double rho = rate * service, weight = 1, sum = 0, present = 0;
    for (uint32_t n = 0; n <= places; n++) {
        sum += weight;
        present += weight * (double)n;
        weight *= rho;
    }
    return present / sum / (rate * (1 - fsim_queueing_sharing_refused(places, rate, service)));
}

double fsim_queueing_general_wait(double rate, double service, double cv2) {
    double rho = rate * service;
    return rho * service * (1 + cv2) / 2 / (1 - rho);
}

/* P(N >= least) of a Poisson number. */
static double poisson_tail(double mean, double least) {
    double term = exp(least * log(mean) - mean - lgamma(least + 1)), sum = 0, n = least;
    while (term > 1e-18 * sum || n < mean) {
        sum += term;
        n += 1;
        term *= mean / n;
    }
    return sum;
}

double fsim_queueing_interrupted_response(double rate, double service, double there, double away) {
    double mu = 1 / service, xi = 1 / there, eta = 1 / away;
    return ((xi + eta) * (xi + eta) + mu * xi) / ((xi + eta) * (eta * mu - rate * (xi + eta)));
}

double fsim_queueing_constant_wait(uint32_t servers, double rate, double service) {
    double load = rate * service, c = servers, wait = 0, term = 1;
    for (uint32_t calls = 1; term > 1e-15 * wait; calls++) {
        double i = calls;
        term = poisson_tail(i * load, i * c) - c / load * poisson_tail(i * load, i * c + 1);
        wait += term;
    }
    return wait * service;
}

/* One step of the uniformised chain on 0 … level - 1; what steps to `level` is lost. */
static void passage_step(double *state, double *next, uint32_t level, double birth, double death) {
    memset(next, 0, level * sizeof *next);
    for (uint32_t n = 0; n < level; n++) {
        double down = death * (double)n;
        next[n] += state[n] * (1 - birth - down);
        if (n > 0) {
            next[n - 1] += state[n] * down;
        }
        if (n + 1 < level) {
            next[n + 1] += state[n] * birth;
        }
    }
}

fsim_queueing_passage fsim_queueing_first_passage(double rate, double service, uint32_t start, uint32_t level,
                                                  double horizon) {
    double speed = rate + (double)level / service; /* of the uniformising clock */
    double ticks = speed * horizon;
    uint32_t steps = (uint32_t)(ticks + 12 * sqrt(ticks) + 50);
    double *rows = calloc(2 * (size_t)level, sizeof *rows);
    fsim_assert(rows != NULL && start < level);
    double *state = rows, *next = rows + level;
    state[start] = 1;
    fsim_queueing_passage passage = {0, 0};
    double cumulative = 0;
    for (uint32_t k = 0; k <= steps; k++) {
        double inside = 0;
        for (uint32_t n = 0; n < level; n++) {
            inside += state[n];
        }
        double weight = exp((double)k * log(ticks) - ticks - lgamma((double)k + 1)); /* Poisson(ticks) at k */
        cumulative += weight;
        passage.survival += weight * inside;
        passage.mean_min += inside * fmax(0, 1 - cumulative) / speed;
        passage_step(state, next, level, rate / speed, 1 / (service * speed));
        double *swap = state;
        state = next;
        next = swap;
    }
    free(rows);
    return passage;
}

double fsim_queueing_high_water(double rate, double service, double horizon) {
    double mean = 0;
    for (uint32_t level = 1; level < 1000; level++) {
        double reached = 1 - fsim_queueing_first_passage(rate, service, 0, level, horizon).survival;
        mean += reached;
        if (reached < 1e-9) {
            break;
        }
    }
    return mean;
}

fsim_queueing_pool fsim_queueing_fixed_keepalive(double rate, double service, double keepalive) {
    double load = rate * service;
    double weight = exp(-load); /* Poisson(load) at n */
    fsim_queueing_pool pool = {0, 0, 0};
    for (uint32_t n = 0; n < load + 12 * sqrt(load) + 20; n++) {
        fsim_queueing_passage passage = fsim_queueing_first_passage(rate, service, n, n + 1, keepalive);
        pool.cold += weight * passage.survival;
        pool.idle += rate * weight * passage.mean_min;
        weight *= load / (double)(n + 1);
    }
    return pool;
}

/* The lattice (idle, starting, busy) cut off where nothing happens any more. */
enum { IDLE = 24, STARTING = 12, BUSY = 16, STATES = IDLE * STARTING * BUSY };

typedef struct pool_rates {
    double arrival, done, ready, expire; /* the last three per request or instance */
} pool_rates;

static int pool_index(int idle, int starting, int busy) {
    return (idle * STARTING + starting) * BUSY + busy;
}

/* Flow out of a state, and what one Gauss-Seidel visit makes of it: inflow / outflow. */
static double pool_visit(const double *p, const pool_rates *r, int i, int s, int b) {
    double in = 0, out = 0;
    if (i > 0 ? b + 1 < BUSY : s + 1 < STARTING) { /* an arrival takes an idle instance, or starts one */
        out += r->arrival;
    }
    out += r->expire * i;
    out += b + 1 < BUSY ? r->ready * s : 0;
    out += i + 1 < IDLE ? r->done * b : 0;
    if (i + 1 < IDLE && b > 0) {
        in += r->arrival * p[pool_index(i + 1, s, b - 1)];
    }
    if (i == 0 && s > 0) {
        in += r->arrival * p[pool_index(0, s - 1, b)];
    }
    if (i + 1 < IDLE) {
        in += r->expire * (i + 1) * p[pool_index(i + 1, s, b)];
    }
    if (s + 1 < STARTING && b > 0) {
        in += r->ready * (s + 1) * p[pool_index(i, s + 1, b - 1)];
    }
    if (i > 0 && b + 1 < BUSY) {
        in += r->done * (b + 1) * p[pool_index(i - 1, s, b + 1)];
    }
    return out > 0 ? in / out : 0;
}

fsim_queueing_pool fsim_queueing_exponential_keepalive(double rate, double service, double start,
                                                       double keepalive) {
    const pool_rates rates = {rate, 1 / service, 1 / start, 1 / keepalive};
    double *p = malloc(STATES * sizeof *p);
    fsim_assert(p != NULL);
    for (size_t i = 0; i < STATES; i++) {
        p[i] = 1.0 / STATES;
    }
    fsim_queueing_pool pool = {0, 0, 0};
    double change = 1;
    for (int round = 0; round < 5000 && change > 1e-10; round++) {
        double sum = 0, idle = 0, starting = 0;
        for (int i = 0; i < IDLE; i++) {
            for (int s = 0; s < STARTING; s++) {
                for (int b = 0; b < BUSY; b++) {
                    double share = pool_visit(p, &rates, i, s, b);
                    p[pool_index(i, s, b)] = share;
                    sum += share;
                    idle += share * i;
                    starting += share * s;
                }
            }
        }
        for (size_t i = 0; i < STATES; i++) {
            p[i] /= sum;
        }
        change = fabs(idle / sum - pool.idle);
        pool.idle = idle / sum;
        pool.starting = starting / sum;
    }
    free(p);
    pool.cold = pool.idle / keepalive / rate; /* each start ends in one removal */
    return pool;
}

double fsim_queueing_setup_one(double rate, double service, double start) {
    return 1 / (1 / service - rate) + start;
}

double fsim_queueing_setup_many(double rate, double service, double start) {
    double weight = 1, sum = 0, starts = 0;
    for (uint32_t j = 0; weight > 1e-18 * sum || j < 10; j++) {
        sum += weight;
        starts += weight * (double)j;
        weight *= rate / (rate + (double)(j + 1) / start);
    }
    return service + starts / sum / rate;
}
