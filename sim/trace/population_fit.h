/* From the rows of a trace to a population that resembles it: rates by hour of the day, popularity, and by
 * stratum of popularity the variation of the gaps, durations and memory. What comes out is the configuration
 * of the source `population`.
 *
 * The rows are read twice: fsim_fit_add sees everything; fsim_fit_add_gaps sees the instants again, when the
 * daily profile is known, because the gaps are measured in a time that passes as fast as the profile says.
 * Memory: 130 bytes a function, and up to 2 KiB of sampled durations each. */
#ifndef FSIM_TRACE_POPULATION_FIT_H
#define FSIM_TRACE_POPULATION_FIT_H

#include "trace/trace.h"

#define FSIM_FIT_HOURS  24u
#define FSIM_FIT_STRATA 1000u

typedef struct fsim_fit fsim_fit;

fsim_fit *fsim_fit_create(uint64_t seed); /* NULL: out of memory */
void fsim_fit_destroy(fsim_fit *fit);     /* NULL allowed */

/* Rows in order of arrival; fn below 2^22. duration_ns, memory_mb: below 0 where not known; may be NULL. */
fsim_status fsim_fit_add(fsim_fit *fit, uint32_t count, const fsim_ns *arrival_ns, const uint32_t *fn,
                         const int64_t *duration_ns, const int64_t *memory_mb, fsim_error *err);
/* All rows were added: the profile is settled. FSIM_EDATA if there were none. */
fsim_status fsim_fit_settle(fsim_fit *fit, fsim_error *err);
/* The same rows again. */
void fsim_fit_add_gaps(fsim_fit *fit, uint32_t count, const fsim_ns *arrival_ns, const uint32_t *fn);

/* What the rows were like; needs no settling. */
typedef struct fsim_fit_summary {
    uint32_t functions; /* with requests */
    uint64_t requests, peak_per_min, durations;
    double span_s, share_below_1_per_min;
    double iat_cv[4];     /* p25 p50 p75 p90 over functions with at least 3 requests */
    double duration_s[4]; /* mean p50 p90 p99 */
} fsim_fit_summary;
fsim_status fsim_fit_summarise(const fsim_fit *fit, fsim_fit_summary *out, fsim_error *err);
/* First Wasserstein distance between the log10 of the requests of a function in the two. */
fsim_status fsim_fit_distance(const fsim_fit *a, const fsim_fit *b, double *out, fsim_error *err);

/* Gaps with pauses: hyperexponential, most of them usual ones, few so long that the coefficient of variation
 * comes out. All is in units of the mean gap. A gamma law of the same variation has its requests in bursts; a
 * function that is not called for a day has not. */
typedef struct fsim_pauses {
    double share, mean; /* of the pauses, among the gaps */
} fsim_pauses;

#define FSIM_USUAL_MAX 0.999
/* cv > 1; usual: mean of the usual gaps, above 0 up to FSIM_USUAL_MAX. */
fsim_pauses fsim_pauses_of(double cv, double usual);

typedef struct fsim_fit_stratum {
    double requests, cv; /* of a function: mean; of one drawn from the stratum, as is all below */
    double usual;        /* 0: gamma variates */
    int64_t memory_mb;   /* 0: not known */
    bool daily;          /* the profile explains some of its variation; else it keeps its own time */
    bool has_durations;
    double duration_s[FSIM_KNOTS], duration_mean_s;
} fsim_fit_stratum;

typedef struct fsim_fit_model {
    uint32_t functions, strata;
    double rate; /* requests a second of all functions, over a whole day */
    double profile[FSIM_FIT_HOURS];
    fsim_ns until_ns;
    fsim_fit_stratum stratum[FSIM_FIT_STRATA]; /* least popular first */
} fsim_fit_model;
/* After both readings. */
fsim_status fsim_fit_make_model(fsim_fit *fit, fsim_fit_model *out, fsim_error *err);

#endif
