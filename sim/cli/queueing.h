/* Closed forms and small exact computations of queueing theory, for `fsim validate`. Nothing here knows the
 * engine: what a run measures is compared with these. Rates are per second, times in seconds. */
#ifndef FSIM_CLI_QUEUEING_H
#define FSIM_CLI_QUEUEING_H

#include <stdint.h>

/* M/M/c/c, any service law: share refused with offered load a (A. K. Erlang 1917). O(c), no overflow. */
double fsim_queueing_erlang_b(uint32_t servers, double load);
/* M/M/c: share of requests that wait (Erlang C), and their mean wait over all requests. load < servers. */
double fsim_queueing_erlang_c(uint32_t servers, double load);
double fsim_queueing_erlang_c_wait(uint32_t servers, double rate, double service);
/* M/M/c with requests that give up after waiting `patience`: share that does. (D. Y. Barrer 1957) */
double fsim_queueing_timed_out(uint32_t servers, double rate, double service, double patience);
/* M/G/1/k, processor sharing: share refused, and mean response of the others; depends on the service law only
 * through its mean. */
double fsim_queueing_sharing_refused(uint32_t places, double rate, double service);
double fsim_queueing_sharing_response(uint32_t places, double rate, double service);
/* M/G/1 first come first served: mean wait (Pollaczek, Khinchine); cv2: squared coefficient of variation of
 * the service. */
double fsim_queueing_general_wait(double rate, double service, double cv2);
/* M/D/c: mean wait of a request (Crommelin 1932; as a series of Poisson tails in Tijms, "A First Course in
 * Stochastic Models", 9.6). Load below the servers. */
double fsim_queueing_constant_wait(uint32_t servers, double rate, double service);

/* M/M/1 whose server is away, busy or not, for exponential times of mean `away` after such of mean `there`
 * (H. White, L. S. Christie 1958): mean response. rate x service below the share of time it is there. */
double fsim_queueing_interrupted_response(double rate, double service, double there, double away);

/* First passage of an M/M/inf population from `start` to `level` (> start): probability that it takes longer
 * than `horizon`, and the mean of min(passage, horizon). By uniformisation, without subtraction; O(level ×
 * rate × horizon). */
typedef struct fsim_queueing_passage {
    double survival, mean_min;
} fsim_queueing_passage;
fsim_queueing_passage fsim_queueing_first_passage(double rate, double service, uint32_t start, uint32_t level,
                                                  double horizon);
/* Mean of the largest number of requests in execution over [0, horizon], from empty. */
double fsim_queueing_high_water(double rate, double service, double horizon);

/* A pool without limits, most recently used instance first, instances kept idle for a fixed time, starts that
 * take no time: an instance that falls idle at level n is used again at the next crossing from n to n + 1
 * (validity notes, section 4.c). */
typedef struct fsim_queueing_pool {
    double cold;     /* share of requests that start an instance */
    double idle;     /* mean idle instances */
    double starting; /* mean starting instances */
} fsim_queueing_pool;
fsim_queueing_pool fsim_queueing_fixed_keepalive(double rate, double service, double keepalive);
/* The same with exponential keep-alive and exponential starts, for any routing: the stationary law of (idle,
 * starting, busy). */
fsim_queueing_pool fsim_queueing_exponential_keepalive(double rate, double service, double start,
                                                       double keepalive);

/* One instance that is switched off when nobody waits and needs an exponential start (P. D. Welch 1964): mean
 * response. */
double fsim_queueing_setup_one(double rate, double service, double start);
/* Any number of instances, late binding, a start is cancelled when its request is served elsewhere, no
 * keep-alive: mean response (A. Gandhi, M. Harchol-Balter, I. Adan 2010). */
double fsim_queueing_setup_many(double rate, double service, double start);

#endif
