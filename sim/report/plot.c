/* Reads a results folder, writes a gnuplot script and has gnuplot draw it. */
#include "report/plot.h"

#include "base/limits.h"
#include "io/file.h"
#include "report/plot_picture.h"
#include "report/plot_text.h"
#include "report/results_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const fsim_plot_files[] = {"instances.svg",
                                       "instances.png",
                                       "latency.svg",
                                       "latency.png",
                                       "refusals.svg",
                                       "refusals.png",
                                       "bills.svg",
                                       "bills.png",
                                       "compare_instances.svg",
                                       "compare_instances.png",
                                       "compare_latency.svg",
                                       "compare_latency.png",
                                       "compare_refusals.svg",
                                       "compare_refusals.png",
                                       "compare_bills.svg",
                                       "compare_bills.png",
                                       NULL};

/* ---- running gnuplot ---- */

/* Starts it in `folder`, reading `script` and complaining into `messages`. 0 or an errno. */
static int start_gnuplot(const char *folder, int script, int messages, pid_t *child) {
    char *const arguments[] = {"gnuplot", "-d", "-", NULL}; /* -d: no start-up files of the user's */
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        return failed;
    }
    failed = posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    failed = failed != 0 ? failed : posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    failed = failed != 0
                 ? failed
                 : posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed = failed != 0 ? failed : posix_spawn_file_actions_addchdir_np(&actions, folder);
    failed = failed != 0 ? failed : posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* The line of gnuplot's complaint that says something. */
static void complaint(FILE *messages, char *out, size_t size) {
    char line[256];
    snprintf(out, size, "no message");
    rewind(messages);
    while (fgets(line, sizeof line, messages) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strstr(line, "line ") != NULL || strstr(line, "cannot") != NULL) {
            snprintf(out, size, "%s", line + strspn(line, " \t^"));
        }
    }
}

static fsim_status judge(const char *folder, int failed, int outcome, FILE *messages, fsim_error *err) {
    if (failed != 0) {
        return fsim_fail_at(err, FSIM_EIO, "gnuplot",
                            "cannot be started (%s): install it (Debian: gnuplot-nox); the data are in %s",
                            strerror(failed), folder);
    }
    if (!WIFEXITED(outcome) || WEXITSTATUS(outcome) != 0) {
        char why[256];
        complaint(messages, why, sizeof why);
        return fsim_fail_at(err, FSIM_EIO, "gnuplot", "failed in %s: %s", folder, why);
    }
    return FSIM_OK;
}

fsim_status fsim_plot_gnuplot(const char *folder, FILE *script, fsim_error *err) {
    FILE *messages = tmpfile();
    pid_t child = 0;
    int outcome = 0;
    if (messages == NULL || fflush(script) != 0 || lseek(fileno(script), 0, SEEK_SET) != 0) {
        fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
        if (messages != NULL) {
            fclose(messages);
        }
        return FSIM_EIO;
    }
    int failed = start_gnuplot(folder, fileno(script), fileno(messages), &child);
    while (failed == 0 && waitpid(child, &outcome, 0) < 0 && errno == EINTR) {
    }
    fsim_status status = judge(folder, failed, outcome, messages, err);
    fclose(messages);
    return status;
}

/* ---- pictures of one folder ---- */

static void write_picture(FILE *script, const fsim_picture *picture, const fsim_plot_subject *subjects,
                          size_t count) {
    picture->data(script, subjects, count);
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        fsim_plot_begin_picture(script, f, picture->name);
        picture->draw(script, subjects, count);
        fputs("set output\n", script);
    }
}

fsim_status fsim_plot_settle(const char *folder, const char *name, fsim_status status, fsim_error *err) {
    for (size_t f = 0; f < FSIM_PLOT_FORMATS; f++) {
        char draft[FSIM_PATH_MAX], final[FSIM_PATH_MAX];
        snprintf(final, sizeof final, "%.2000s/%.1000s.%s", folder, name, fsim_plot_suffixes[f]);
        snprintf(draft, sizeof draft, "%.4000s.partial", final);
        if (status != FSIM_OK) {
            unlink(draft);
        } else if (rename(draft, final) != 0) {
            status = fsim_fail_at(err, FSIM_EIO, final, "cannot write the picture: %s", strerror(errno));
        }
    }
    return status;
}

/* Gives the drawn pictures their names, or removes them. */
static fsim_status settle(const char *folder, bool several, fsim_status status, fsim_error *err) {
    for (const fsim_picture *p = fsim_pictures; p->name != NULL; p++) {
        if (p->of_several == several) {
            status = fsim_plot_settle(folder, p->name, status, err);
        }
    }
    return status;
}

static fsim_status draw(const char *folder, const fsim_plot_subject *subjects, size_t count, bool several,
                        fsim_error *err) {
    FILE *script = tmpfile();
    if (script == NULL) {
        return fsim_fail(err, FSIM_EIO, "cannot write a temporary file: %s", strerror(errno));
    }
    for (const fsim_picture *p = fsim_pictures; p->name != NULL; p++) {
        if (p->of_several == several) {
            write_picture(script, p, subjects, count);
        }
    }
    fsim_status status = fsim_plot_gnuplot(folder, script, err);
    fclose(script);
    return settle(folder, several, status, err);
}

/* ---- the folder ---- */

static fsim_status draw_policies(const char *folder, json_t *const *summaries, uint32_t count,
                                 fsim_plot_subject *subjects, fsim_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        char name[128], path[FSIM_PATH_MAX];
        fsim_results_policy_folder(summaries, i, name, sizeof name);
        FSIM_TRY(fsim_file_resolve(folder, name, path, sizeof path, err));
        FSIM_TRY(fsim_plot_subject_read(&subjects[i], path, summaries[i], err));
        FSIM_TRY(draw(path, &subjects[i], 1, false, err));
    }
    return draw(folder, subjects, count, true, err);
}

static fsim_status draw_all(const char *folder, json_t *document, fsim_error *err) {
    json_t *summaries[FSIM_POLICIES_MAX];
    uint32_t count = fsim_summary_list(document, summaries, FSIM_POLICIES_MAX);
    fsim_plot_subject *subjects = calloc(count, sizeof *subjects);
    fsim_status status;
    if (subjects == NULL) {
        status = fsim_fail(err, FSIM_ELIMIT, "out of memory while drawing");
    } else if (count == 1) {
        status = fsim_plot_subject_read(&subjects[0], folder, summaries[0], err);
        status = status == FSIM_OK ? draw(folder, subjects, 1, false, err) : status;
    } else {
        status = draw_policies(folder, summaries, count, subjects, err);
    }
    for (uint32_t i = 0; subjects != NULL && i < count; i++) {
        fsim_plot_subject_forget(&subjects[i]);
    }
    free(subjects);
    return status;
}

fsim_status fsim_plot_folder(const char *folder, fsim_error *err) {
    char path[FSIM_PATH_MAX];
    json_t *document = NULL;
    FSIM_TRY(fsim_file_resolve(folder, "summary.json", path, sizeof path, err));
    FSIM_TRY(fsim_summary_read(&document, path, err));
    fsim_status status = draw_all(folder, document, err);
    fsim_summary_forget(document);
    return status;
}
