/* What the short ways share (engine_short.c, engine_plain.c): sums of requests that began at their arrival,
 * and fetching ahead what the next steps touch. */
#ifndef FSIM_MODEL_ENGINE_STRETCH_H
#define FSIM_MODEL_ENGINE_STRETCH_H

#include "model/engine.h"

/* The parts of a way are inlined into each of its forms, so that a stretch stays in registers. */
#define PART FSIM_INLINE

enum { CACHE_LINE = 64 };

PART void prefetch_lines(const void *from, size_t bytes) {
#pragma GCC unroll 8
    for (size_t at = 0; at < bytes; at += CACHE_LINE) {
        __builtin_prefetch((const char *)from + at, 1);
    }
}

/* Of this bucket of the histogram. */
PART void sums_add_span(short_sums *sums, uint64_t span_ns, uint32_t bucket) {
    sums->span_ns += span_ns;
    sums->span_min_ns = span_ns < sums->span_min_ns ? span_ns : sums->span_min_ns;
    sums->span_max_ns = span_ns > sums->span_max_ns ? span_ns : sums->span_max_ns;
    sums->hist->count[bucket]++;
}

/* An interval that crosses windows of the CPU meter. */
static __attribute__((noinline)) void meter_windows(function *f, instance *in, fsim_ns from_ns, fsim_ns to_ns,
                                                    uint32_t rate_ucore) {
    fsim_cpu_meter_span(&in->meter, &f->cpu_rule, &f->usage, from_ns, to_ns, rate_ucore);
}

/* A whole interval of an instance with one slot (function.solo_meter). */
PART void meter_solo(function *f, short_sums *sums, instance *in, fsim_ns from_ns, fsim_ns to_ns,
                     uint32_t rate_ucore) {
    if (FSIM_LIKELY(fsim_cpu_meter_fits(&in->meter, &f->cpu_rule, from_ns, to_ns))) {
        sums->cpu_mem_ms += fsim_cpu_meter_add(&in->meter, (uint64_t)(to_ns - from_ns), rate_ucore);
    } else {
        meter_windows(f, in, from_ns, to_ns, rate_ucore);
    }
}

#endif
