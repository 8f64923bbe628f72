/* The readings of one revision: its stable and its panic window, fed alike.
 *
 * Every second the sum over the pods and each activator's report is recorded; every decision reads both
 * averages. Source: knative/serving pkg/autoscaler/metrics/collector.go, stats_scraper.go. */
#ifndef FSIM_AUTOSCALE_METRIC_COLLECTOR_H
#define FSIM_AUTOSCALE_METRIC_COLLECTOR_H

#include "autoscale/metric_window.h"

typedef struct fsim_metric_collector {
    fsim_metric_window stable, panic;
    bool scrapes; /* false: pods are not asked (everything passes the activator), so silence means 0, not "no
                     data" */
} fsim_metric_collector;

/* Doubles the memory of a collector needs. */
int64_t fsim_metric_collector_buckets(fsim_ns stable_ns, fsim_ns panic_ns);

/* `buckets` holds fsim_metric_collector_buckets(stable_ns, panic_ns) doubles and lives as long as the
 * collector. */
void fsim_metric_collector_init(fsim_metric_collector *c, double *buckets, fsim_ns stable_ns,
                                fsim_ns panic_ns, fsim_metric_average average, bool scrapes);

void fsim_metric_collector_record(fsim_metric_collector *c, fsim_ns at_ns, double value);

/* Both averages at an instant. False: no data for longer than the stable window; the outputs are then 0. */
bool fsim_metric_collector_read(const fsim_metric_collector *c, fsim_ns now_ns, double *stable,
                                double *panic);

/* What a scrape of some pods says about all of them: the mean of the sample times the pods there are.
 * sampled > 0; 0 pods are never scraped. */
double fsim_metric_extrapolate(double sampled_sum, int64_t sampled, int64_t pods);

#endif
