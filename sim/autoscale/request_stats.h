/* How many requests are in flight, averaged over a reporting period, as Knative measures it in two places.
 *
 * In the pod: the queue-proxy integrates the requests in flight over time and reports each second the
 * average, the arrivals, and the part of both that came through an activator. Source: knative/networking
 * pkg/http/stats/request.go.
 *
 * In the activator: the same integral for each revision, with a first report at once when a revision that was
 * silent gets a request, which is what wakes a revision at zero. Source: knative/serving
 * pkg/activator/handler/concurrency_reporter.go.
 *
 * The integral is kept in whole nanoseconds: nothing is lost over a long period. An event before the previous
 * one counts as of that one's instant. Every call is O(1). */
#ifndef FSIM_AUTOSCALE_REQUEST_STATS_H
#define FSIM_AUTOSCALE_REQUEST_STATS_H

#include "base/time.h"

#include <stdbool.h>

typedef struct fsim_request_stats {
    fsim_ns since_ns, changed_ns;       /* start of the period; last event */
    int64_t in_flight, proxied;         /* now; open requests carry over to the next period */
    int64_t area_ns, proxied_area_ns;   /* integral over the period */
    int64_t arrivals, proxied_arrivals; /* of the period */
} fsim_request_stats;

typedef struct fsim_request_report {
    double concurrency, proxied_concurrency; /* time average, 0 when no time passed */
    double requests, proxied_requests;       /* arrivals; per second when reported each second */
} fsim_request_report;

void fsim_request_stats_init(fsim_request_stats *s, fsim_ns now_ns);
/* `proxied`: it came from an activator; counted in the totals and in the proxied figures. */
void fsim_request_stats_in(fsim_request_stats *s, fsim_ns now_ns, bool proxied);
void fsim_request_stats_out(fsim_request_stats *s, fsim_ns now_ns, bool proxied);
/* Ends the period and starts the next one. */
fsim_request_report fsim_request_stats_report(fsim_request_stats *s, fsim_ns now_ns);

/* What the collector records of a pod: the part that no activator reports. */
static inline double fsim_request_report_own_concurrency(const fsim_request_report *r) {
    return r->concurrency - r->proxied_concurrency;
}
static inline double fsim_request_report_own_requests(const fsim_request_report *r) {
    return r->requests - r->proxied_requests;
}

/* One revision in one activator. Zeroed is a fresh one. */
typedef struct fsim_activator_reporter {
    fsim_request_stats stats;
    bool known;     /* it has state; without, the next request is a first one */
    double prepaid; /* already reported by the message sent at once; taken off the next report */
} fsim_activator_reporter;

/* One stat message to the autoscaler. */
typedef struct fsim_activator_message {
    double concurrency, requests;
} fsim_activator_message;

/* A request arrives. True: `message` (1, 1) goes to the autoscaler at once. */
bool fsim_activator_reporter_in(fsim_activator_reporter *r, fsim_ns now_ns, fsim_activator_message *message);
void fsim_activator_reporter_out(fsim_activator_reporter *r, fsim_ns now_ns);
/* The report of the second. False: the revision has no state, nothing is sent. State is dropped after a
 * period with an average of 0 and nothing in flight; that period is still reported. */
bool fsim_activator_reporter_report(fsim_activator_reporter *r, fsim_ns now_ns,
                                    fsim_activator_message *message);

#endif
