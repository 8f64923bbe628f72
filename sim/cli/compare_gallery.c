#include "cli/compare_gallery.h"

#include "cli/output.h"
#include "cli/workload_words.h"
#include "io/file.h"
#include "report/gallery.h"

#include <stdlib.h>
#include <string.h>

typedef struct gallery {
    const fsim_gallery_options *options;
    fsim_runs runs[FSIM_GALLERY_WORKLOADS_MAX];
    fsim_run_record records[FSIM_GALLERY_WORKLOADS_MAX * FSIM_POLICIES_MAX];
    uint32_t loaded; /* workloads */
    char folder[FSIM_PATH_MAX];
} gallery;

static fsim_status load_all(gallery *g, const fsim_load_options *load, fsim_error *err) {
    const fsim_gallery_options *o = g->options;
    for (uint32_t w = 0; w < o->workload_count; w++) {
        fsim_load_options one = *load;
        FSIM_TRY(fsim_workload_words(&one, &o->workloads[w], 1, true, err));
        FSIM_TRY(fsim_runs_load(&g->runs[w], &one, &o->policies, err));
        g->loaded++;
        if (o->month) {
            fsim_runs_bill_a_month(&g->runs[w]);
        }
        for (uint32_t before = 0; before < w; before++) {
            const char *name = g->runs[w].policies[0].scenario->name;
            if (strcmp(name, g->runs[before].policies[0].scenario->name) == 0) {
                return fsim_fail_at(err, FSIM_EUSAGE, o->workloads[w],
                                    "two workloads of the name \"%s\" would share a folder and a column",
                                    name);
            }
        }
    }
    return FSIM_OK;
}

static fsim_status execute_all(gallery *g, fsim_error *err) {
    uint32_t policies = g->runs[0].count;
    for (uint32_t w = 0; w < g->loaded; w++) {
        FSIM_TRY(fsim_runs_execute(&g->runs[w], &g->options->how, err));
        fsim_runs_records(&g->runs[w], &g->records[w * policies]);
    }
    return FSIM_OK;
}

static void choose_folder(gallery *g) {
    const char *out = g->options->folder.out;
    int at = snprintf(g->folder, sizeof g->folder, "%s", out != NULL ? out : "results/");
    for (uint32_t w = 0; out == NULL && w < g->loaded; w++) {
        at += snprintf(g->folder + at, sizeof g->folder - (size_t)at, "%s%.200s", w > 0 ? "+" : "",
                       g->runs[w].policies[0].scenario->name);
    }
}

static fsim_status write_folders(gallery *g, fsim_error *err) {
    const fsim_folder_options *folder = &g->options->folder;
    choose_folder(g);
    for (uint32_t w = 0; w < g->loaded; w++) {
        char path[FSIM_PATH_MAX];
        snprintf(path, sizeof path, "%.3000s/%.200s", g->folder, g->runs[w].policies[0].scenario->name);
        const fsim_folder_options one = {path, false, true};
        FSIM_TRY(fsim_folder_write(&g->runs[w], &one, err));
    }
    if (folder->plot) {
        uint32_t policies = g->runs[0].count;
        json_t **summaries = fsim_report_summaries(g->records, g->loaded * policies);
        fsim_status status = summaries == NULL
                                 ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                                 : fsim_gallery_plot(g->folder, summaries, g->loaded, policies, err);
        free(summaries);
        FSIM_TRY(status);
    }
    if (!folder->quiet) {
        fprintf(stderr, "fsim: results in %s/\n", g->folder);
    }
    return FSIM_OK;
}

static fsim_status print_table(const gallery *g, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fsim_status status =
        fsim_gallery_write(output.stream, g->options->format, g->records, g->loaded, g->runs[0].count, err);
    return fsim_output_end(&output, status, err);
}

static fsim_status run_gallery(gallery *g, const fsim_load_options *load, fsim_error *err) {
    const fsim_folder_options *folder = &g->options->folder;
    FSIM_TRY(fsim_folder_check(folder, err));
    FSIM_TRY(load_all(g, load, err));
    FSIM_TRY(execute_all(g, err));
    bool writes = folder->plot || folder->out != NULL;
    if (writes && (folder->out == NULL || strcmp(folder->out, "none") != 0)) {
        FSIM_TRY(write_folders(g, err));
    }
    return print_table(g, err);
}

fsim_status fsim_compare_gallery(const fsim_gallery_options *options, const fsim_load_options *load,
                                 fsim_error *err) {
    if (options->workload_count > FSIM_GALLERY_WORKLOADS_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "%u workloads, at most %d at once (FSIM_GALLERY_WORKLOADS_MAX)",
                         options->workload_count, FSIM_GALLERY_WORKLOADS_MAX);
    }
    gallery *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    g->options = options;
    fsim_status status = run_gallery(g, load, err);
    for (uint32_t w = 0; w < g->loaded; w++) {
        fsim_runs_destroy(&g->runs[w]);
    }
    free(g);
    return status;
}
