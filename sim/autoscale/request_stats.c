#include "autoscale/request_stats.h"

#include <math.h>

static void integrate(fsim_request_stats *s, fsim_ns now_ns) {
    fsim_ns span_ns = now_ns - s->changed_ns;
    if (span_ns > 0) {
        s->area_ns += s->in_flight * span_ns;
        s->proxied_area_ns += s->proxied * span_ns;
        s->changed_ns = now_ns;
    }
}

void fsim_request_stats_init(fsim_request_stats *s, fsim_ns now_ns) {
    *s = (fsim_request_stats){.since_ns = now_ns, .changed_ns = now_ns};
}

void fsim_request_stats_in(fsim_request_stats *s, fsim_ns now_ns, bool proxied) {
    integrate(s, now_ns);
    s->in_flight++;
    s->arrivals++;
    s->proxied += proxied;
    s->proxied_arrivals += proxied;
}

void fsim_request_stats_out(fsim_request_stats *s, fsim_ns now_ns, bool proxied) {
    integrate(s, now_ns);
    s->in_flight--;
    s->proxied -= proxied;
}

fsim_request_report fsim_request_stats_report(fsim_request_stats *s, fsim_ns now_ns) {
    integrate(s, now_ns);
    fsim_request_report report = {.requests = (double)s->arrivals,
                                  .proxied_requests = (double)s->proxied_arrivals};
    fsim_ns elapsed_ns = s->changed_ns - s->since_ns;
    if (elapsed_ns > 0) {
        report.concurrency = (double)s->area_ns / (double)elapsed_ns;
        report.proxied_concurrency = (double)s->proxied_area_ns / (double)elapsed_ns;
    }
    s->since_ns = s->changed_ns;
    s->area_ns = s->proxied_area_ns = 0;
    s->arrivals = s->proxied_arrivals = 0;
    return report;
}

bool fsim_activator_reporter_in(fsim_activator_reporter *r, fsim_ns now_ns, fsim_activator_message *message) {
    bool first = !r->known;
    if (first) {
        fsim_request_stats_init(&r->stats, now_ns);
        r->known = true;
        r->prepaid = 1.0;
        *message = (fsim_activator_message){.concurrency = 1.0, .requests = 1.0};
    }
    fsim_request_stats_in(&r->stats, now_ns, false);
    return first;
}

void fsim_activator_reporter_out(fsim_activator_reporter *r, fsim_ns now_ns) {
    if (r->known) {
        fsim_request_stats_out(&r->stats, now_ns, false);
    }
}

bool fsim_activator_reporter_report(fsim_activator_reporter *r, fsim_ns now_ns,
                                    fsim_activator_message *message) {
    if (!r->known) {
        return false;
    }
    fsim_request_report report = fsim_request_stats_report(&r->stats, now_ns);
    /* The message sent at once said concurrency 1; the true average of the period may have been less. */
    message->concurrency = fmax(report.concurrency - r->prepaid, 0.0);
    message->requests = report.requests - r->prepaid;
    r->prepaid = 0.0;
    r->known = report.concurrency > 0.0 || r->stats.in_flight > 0;
    return true;
}
