/* Every upper bound of the simulator by name. Exceeding one is FSIM_ELIMIT (exit code 6). */
#ifndef FSIM_BASE_LIMITS_H
#define FSIM_BASE_LIMITS_H

#define FSIM_FUNCTIONS_MAX           (1u << 22) /* functions in one run */
#define FSIM_INSTANCES_MAX           (1u << 26) /* instances alive at once */
#define FSIM_IN_SYSTEM_MAX           (1u << 28) /* requests in the system at once */
#define FSIM_POLICIES_MAX            64         /* policies compared in one command */
#define FSIM_GALLERY_WORKLOADS_MAX   8          /* workloads compared in one command */
#define FSIM_CALLS_AT_ONCE_MAX       (1u << 22) /* of closed users at one instant, beyond one each */
#define FSIM_WAITING_EVENTS_MAX      (1u << 20) /* while all wait and none is helped, beyond a week */
#define FSIM_RETRIES_IN_VAIN_MAX     (1u << 20) /* of each request, while attempts never end and none leaves */
#define FSIM_BOOKS_MAX               64         /* price books in one command */
#define FSIM_EXCEED_MAX              16         /* thresholds of run.exceed, each list */
#define FSIM_PROBES_MAX              65536      /* instants of run.probe */
#define FSIM_WINDOWS_MAX             (1u << 20) /* windows of run.windows */
#define FSIM_OCCUPANCY_MAX           100000     /* levels of run.occupancy */
#define FSIM_INTERRUPTIONS_MAX       (1u << 20) /* of cores, in a list */
#define FSIM_INTERRUPTED_CORES_MAX   65536u     /* of all nodes, where cores are interrupted */
#define FSIM_SERIES_ROWS_MAX         4096u      /* rows of a time series before neighbours are merged */
#define FSIM_SAMPLED_ROWS_MAX        (1u << 22) /* rows of a time series whose step run.sample says */
#define FSIM_SERIES_POINTS_MAX       (1u << 24) /* rows of a metric series that is read */
#define FSIM_DECIDE_INSTANCES_MAX    (1u << 20) /* instances that fsim decide follows */
#define FSIM_FUNCTION_HISTOGRAMS_MAX 64u /* with more functions, percentiles per function are not kept */
#define FSIM_JSON_BYTES_MAX          (256u << 20) /* one JSON file */
#define FSIM_JSON_DEPTH_MAX          64
#define FSIM_CSV_FIELD_MAX           65536  /* bytes of one field */
#define FSIM_LINE_MAX                262144 /* bytes of a line of text that is no CSV */
#define FSIM_REPLICATIONS_MAX        100000
#define FSIM_THREADS_MAX             256

#endif
