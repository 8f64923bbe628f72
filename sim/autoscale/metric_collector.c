#include "autoscale/metric_collector.h"

int64_t fsim_metric_collector_buckets(fsim_ns stable_ns, fsim_ns panic_ns) {
    return fsim_metric_window_buckets(stable_ns, FSIM_METRIC_BUCKET_NS) +
           fsim_metric_window_buckets(panic_ns, FSIM_METRIC_BUCKET_NS);
}

void fsim_metric_collector_init(fsim_metric_collector *c, double *buckets, fsim_ns stable_ns,
                                fsim_ns panic_ns, fsim_metric_average average, bool scrapes) {
    int64_t stable_n = fsim_metric_window_buckets(stable_ns, FSIM_METRIC_BUCKET_NS);
    int64_t panic_n = fsim_metric_window_buckets(panic_ns, FSIM_METRIC_BUCKET_NS);
    fsim_metric_window_init(&c->stable, buckets, stable_n, stable_ns, FSIM_METRIC_BUCKET_NS, average);
    fsim_metric_window_init(&c->panic, buckets + stable_n, panic_n, panic_ns, FSIM_METRIC_BUCKET_NS, average);
    c->scrapes = scrapes;
}

void fsim_metric_collector_record(fsim_metric_collector *c, fsim_ns at_ns, double value) {
    fsim_metric_window_record(&c->stable, at_ns, value);
    fsim_metric_window_record(&c->panic, at_ns, value);
}

bool fsim_metric_collector_read(const fsim_metric_collector *c, fsim_ns now_ns, double *stable,
                                double *panic) {
    *stable = fsim_metric_window_average(&c->stable, now_ns);
    *panic = fsim_metric_window_average(&c->panic, now_ns);
    return !c->scrapes || !fsim_metric_window_is_empty(&c->stable, now_ns);
}

double fsim_metric_extrapolate(double sampled_sum, int64_t sampled, int64_t pods) {
    return sampled_sum / (double)sampled * (double)pods;
}
