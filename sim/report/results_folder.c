/* Written beside the final place, then renamed; see the header. */
#include "report/results_folder.h"

#include "io/file.h"
#include "report/manifest_json.h"
#include "report/plot.h"
#include "report/report.h"
#include "report/summary_path_json.h"
#include "report/usage_json.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const data_files[] = {"manifest.json", "summary.json", "timeseries.csv", "functions.csv",
                                         "invoice.json",  "latency.csv",  "usage.json",     NULL};

static fsim_status fail_io(fsim_error *err, const char *path, const char *what) {
    return fsim_fail_at(err, FSIM_EIO, path, "%s: %s", what, strerror(errno));
}

static fsim_status join(const char *folder, const char *name, char *out, fsim_error *err) {
    int n = snprintf(out, FSIM_PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < FSIM_PATH_MAX ? FSIM_OK
                                      : fsim_fail_at(err, FSIM_EIO, folder, "the file name is too long");
}

/* ---- one policy ---- */

typedef struct content {
    const fsim_run_record *record;
    json_t *inputs;
    const fsim_run_record *records; /* of all policies, for the summary.json above them */
    json_t *const *summaries;
    uint32_t count;
} content;

typedef fsim_status (*file_writer)(FILE *out, const content *c, fsim_error *err);

/* Takes the text; NULL is a lack of memory. */
static fsim_status put_text(FILE *out, char *text, fsim_error *err) {
    if (text == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the results");
    }
    fprintf(out, "%s\n", text);
    free(text);
    return FSIM_OK;
}

static fsim_status write_manifest(FILE *out, const content *c, fsim_error *err) {
    return put_text(out, fsim_manifest_dump(c->record->scenario, c->record->result, c->inputs), err);
}

static fsim_status write_summary(FILE *out, const content *c, fsim_error *err) {
    return fsim_summary_write(out, c->record, 1, err);
}

static fsim_status write_all_summaries(FILE *out, const content *c, fsim_error *err) {
    return fsim_summary_write(out, c->records, c->count, err);
}

static fsim_status write_timeseries(FILE *out, const content *c, fsim_error *err) {
    return fsim_results_timeseries(out, c->record->result, err);
}

static fsim_status write_functions(FILE *out, const content *c, fsim_error *err) {
    return fsim_results_functions(out, c->record, err);
}

static fsim_status write_invoice(FILE *out, const content *c, fsim_error *err) {
    return put_text(out, fsim_invoice_dump(c->record->summary), err);
}

static fsim_status write_latency(FILE *out, const content *c, fsim_error *err) {
    return fsim_results_latency(out, c->record->result, err);
}

static fsim_status write_usage(FILE *out, const content *c, fsim_error *err) {
    return fsim_usage_write(out, c->record->result, err);
}

static fsim_status write_file(const char *folder, const char *name, file_writer write, const content *c,
                              fsim_error *err) {
    char path[FSIM_PATH_MAX];
    fsim_file_draft draft = {0};
    FSIM_TRY(join(folder, name, path, err));
    FSIM_TRY(fsim_file_create(&draft, path, err));
    fsim_status status = write(draft.stream, c, err);
    if (status == FSIM_OK) {
        status = fsim_file_commit(&draft, err);
    }
    fsim_file_abandon(&draft);
    return status;
}

static fsim_status write_policy(const char *folder, const content *c, fsim_error *err) {
    static const file_writer writers[] = {write_manifest, write_summary, write_timeseries, write_functions,
                                          write_invoice,  write_latency, write_usage};
    for (int i = 0; data_files[i] != NULL; i++) {
        FSIM_TRY(write_file(folder, data_files[i], writers[i], c, err));
    }
    return FSIM_OK;
}

/* ---- several ---- */

static void clean_name(const char *name, char *out, size_t size) {
    size_t n = 0;
    for (; name[n] != '\0' && n + 1 < size; n++) {
        char c = name[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '-' || (c == '.' && n > 0);
        out[n] = plain ? c : '_';
    }
    out[n] = '\0';
}

void fsim_results_policy_folder(json_t *const *summaries, uint32_t i, char *out, size_t size) {
    const char *name = fsim_summary_text(summaries[i], "policy");
    unsigned same = 1;
    for (uint32_t k = 0; k < i; k++) {
        same += strcmp(fsim_summary_text(summaries[k], "policy"), name) == 0;
    }
    clean_name(name[0] != '\0' ? name : "policy", out, size);
    size_t n = strlen(out);
    if (same > 1) {
        snprintf(out + n, size - n, "-%u", same);
    }
}

static fsim_status write_policies(const char *folder, content *c, fsim_error *err) {
    for (uint32_t i = 0; i < c->count; i++) {
        char name[128], path[FSIM_PATH_MAX];
        fsim_results_policy_folder(c->summaries, i, name, sizeof name);
        FSIM_TRY(join(folder, name, path, err));
        FSIM_TRY(fsim_file_make_directory(path, err));
        c->record = &c->records[i];
        FSIM_TRY(write_policy(path, c, err));
    }
    return write_file(folder, "summary.json", write_all_summaries, c, err);
}

/* ---- a folder becomes another ---- */

typedef fsim_status (*entry_visitor)(const char *from, const char *to, bool is_folder, fsim_error *err);

/* Calls visit for each entry of `from`; `to` is its counterpart below the folder `to`. */
static fsim_status for_entries(const char *from, const char *to, entry_visitor visit, fsim_error *err) {
    DIR *folder = opendir(from);
    if (folder == NULL) {
        return fail_io(err, from, "cannot read the folder");
    }
    fsim_status status = FSIM_OK;
    for (struct dirent *e = readdir(folder); e != NULL && status == FSIM_OK; e = readdir(folder)) {
        char a[FSIM_PATH_MAX], b[FSIM_PATH_MAX];
        struct stat about;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        status = join(from, e->d_name, a, err);
        status = status == FSIM_OK ? join(to, e->d_name, b, err) : status;
        if (status == FSIM_OK) {
            status = visit(a, b, lstat(a, &about) == 0 && S_ISDIR(about.st_mode), err);
        }
    }
    closedir(folder);
    return status;
}

/* NOLINTNEXTLINE(misc-no-recursion): two levels */
static fsim_status remove_entry(const char *path, const char *unused, bool is_folder, fsim_error *err) {
    if (is_folder) {
        FSIM_TRY(for_entries(path, unused, remove_entry, err));
    }
    return (is_folder ? rmdir(path) : unlink(path)) == 0 ? FSIM_OK : fail_io(err, path, "cannot remove it");
}

/* Removes what an earlier run has left under names of ours and this one does not replace. */
static fsim_status remove_stale(const char *fresh, const char *folder, fsim_error *err) {
    const char *const *const lists[] = {data_files, fsim_plot_files};
    for (int l = 0; l < 2; l++) {
        for (int i = 0; lists[l][i] != NULL; i++) {
            char ours[FSIM_PATH_MAX], theirs[FSIM_PATH_MAX];
            FSIM_TRY(join(fresh, lists[l][i], ours, err));
            FSIM_TRY(join(folder, lists[l][i], theirs, err));
            if (access(ours, F_OK) != 0 && unlink(theirs) != 0 && errno != ENOENT) {
                return fail_io(err, theirs, "cannot remove the file of an earlier run");
            }
        }
    }
    return FSIM_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): two levels */
static fsim_status move_entry(const char *from, const char *to, bool is_folder, fsim_error *err) {
    if (!is_folder || rename(from, to) == 0) {
        return is_folder || rename(from, to) == 0 ? FSIM_OK : fail_io(err, to, "cannot replace the file");
    }
    FSIM_TRY(fsim_file_make_directory(to, err));
    FSIM_TRY(remove_stale(from, to, err));
    return for_entries(from, to, move_entry, err);
}

static fsim_status publish(const char *fresh, const char *folder, fsim_error *err) {
    struct stat about;
    if (lstat(folder, &about) != 0 && rename(fresh, folder) == 0) {
        return FSIM_OK;
    }
    if (stat(folder, &about) != 0 || !S_ISDIR(about.st_mode)) {
        return fsim_fail_at(err, FSIM_EIO, folder, "cannot put the results here: it is not a folder");
    }
    FSIM_TRY(remove_stale(fresh, folder, err));
    FSIM_TRY(for_entries(fresh, folder, move_entry, err));
    return remove_entry(fresh, "", true, err);
}

static fsim_status fill(const char *fresh, const fsim_run_record *records, uint32_t count, fsim_error *err) {
    json_t **summaries = fsim_report_summaries(records, count);
    content c = {.record = records, .records = records, .summaries = summaries, .count = count};
    c.inputs = fsim_manifest_inputs(records[0].scenario);
    fsim_status status = FSIM_ELIMIT;
    if (summaries == NULL || c.inputs == NULL) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory while writing the results");
    } else {
        status = count == 1 ? write_policy(fresh, &c, err) : write_policies(fresh, &c, err);
    }
    fsim_manifest_inputs_free(c.inputs);
    free(summaries);
    return status;
}

fsim_status fsim_results_write(const char *folder, const fsim_run_record *records, uint32_t count,
                               fsim_error *err) {
    char final[FSIM_PATH_MAX], above[FSIM_PATH_MAX], fresh[FSIM_PATH_MAX];
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') {
        length--;
    }
    int n = snprintf(final, sizeof final, "%.*s", (int)length, folder);
    int m = snprintf(fresh, sizeof fresh, "%s.partial-%ld", final, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof final || m < 0 || (size_t)m >= sizeof fresh) {
        return fsim_fail_at(err, FSIM_EIO, folder, "the name of the folder is too long");
    }
    fsim_file_directory(final, above, sizeof above);
    FSIM_TRY(fsim_file_make_directory(above, err));
    if (mkdir(fresh, 0777) != 0) {
        return fail_io(err, fresh, "cannot create the folder");
    }
    fsim_status status = fill(fresh, records, count, err);
    if (status == FSIM_OK) {
        status = publish(fresh, final, err);
    }
    if (status != FSIM_OK) {
        remove_entry(fresh, "", true, NULL);
    }
    return status;
}
