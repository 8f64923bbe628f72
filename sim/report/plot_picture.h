/* The pictures as gnuplot text. Each call writes the data and the commands of one picture; the caller has set
 * terminal and output. Every text of the user's goes into the script in single quotes, where gnuplot expands
 * nothing. */
#ifndef FSIM_REPORT_PLOT_PICTURE_H
#define FSIM_REPORT_PLOT_PICTURE_H

#include "report/plot_data.h"
#include "report/summary_json.h"

/* A results folder of one policy, read. */
typedef struct fsim_plot_subject {
    const json_t *summary;
    fsim_plot_data series;  /* time_s, starting, busy, idle, in_execution, queued, wanted, instances */
    fsim_plot_data rates;   /* time_s and, a second: arrived, completed, refused, timed_out */
    fsim_plot_data latency; /* from_s, to_s, requests, cold, warm */
} fsim_plot_subject;

/* Reads `folder`; the summary is borrowed. */
fsim_status fsim_plot_subject_read(fsim_plot_subject *subject, const char *folder, const json_t *summary,
                                   fsim_error *err);
void fsim_plot_subject_forget(fsim_plot_subject *subject);

typedef struct fsim_picture {
    const char *name; /* of the file, without suffix */
    bool of_several;  /* compares policies */
    void (*data)(FILE *script, const fsim_plot_subject *subjects, size_t count); /* data blocks, once */
    void (*draw)(FILE *script, const fsim_plot_subject *subjects, size_t count); /* for each terminal */
} fsim_picture;

extern const fsim_picture fsim_pictures[]; /* ends with a NULL name */

#endif
