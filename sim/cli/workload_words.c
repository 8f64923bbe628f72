#include "cli/workload_words.h"

#include "base/text.h"
#include "io/file.h"
#include "io/json_reader.h"
#include "trace/trace.h"

#include <string.h>

#include <sys/stat.h>

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* A pipe that has a name, as <(zcat trace.gz) gives it, takes the place of standard input. */
static fsim_status take_pipe(const char **word, fsim_error *err) {
    struct stat about;
    if (strcmp(*word, "-") == 0 || stat(*word, &about) != 0 || !S_ISFIFO(about.st_mode)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_file_take_stdin(*word, err));
    *word = "-";
    return FSIM_OK;
}

fsim_status fsim_workload_keep(const char **word, fsim_error *err) {
    FSIM_TRY(take_pipe(word, err));
    if (strcmp(*word, "-") != 0) {
        return FSIM_OK;
    }
    *word = FSIM_STDIN_PATH;
    return fsim_file_keep_stdin(err);
}

static bool is_set(const fsim_load_options *load, const char *path) {
    for (size_t i = 0; i < load->setting_count; i++) {
        if (strcmp(load->settings[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* What standard input is called from now on. Rows of our own formats are streamed where they are read once;
 * the readers of others look at their files more than once. A scenario is read as a text in any case. */
static fsim_status name_stdin(const char **word, bool again, fsim_error *err) {
    char head[16384];
    size_t got = fsim_file_peek("-", head, sizeof head - 1);
    head[got] = '\0';
    if (got == 0 || (fsim_trace_is_streamed(head) && !again)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_file_keep_stdin(err));
    bool is_trace = fsim_trace_recognise(FSIM_STDIN_PATH) != NULL;
    *word = is_trace || !fsim_json_is_object("-") ? FSIM_STDIN_PATH : "-";
    return FSIM_OK;
}

fsim_status fsim_workload_words(fsim_load_options *load, const char *const *words, size_t count, bool again,
                                fsim_error *err) {
    static const char *const kept[] = {FSIM_STDIN_PATH}, *const streamed[] = {"-"};
    const char *word = words[0];
    FSIM_TRY(count == 1 ? take_pipe(&word, err) : FSIM_OK);
    if (count == 1 && strcmp(word, "-") == 0) {
        again |= is_set(load, "workload.functions_top") || is_set(load, "run.replications");
        FSIM_TRY(name_stdin(&word, again, err));
        words = strcmp(word, "-") == 0 ? streamed : kept;
    }
    if (count > 1 || is_folder(words[0]) || fsim_trace_recognise(words[0]) != NULL) {
        load->files = words;
        load->file_count = count;
    } else {
        load->workload = words[0];
    }
    return FSIM_OK;
}

/* The last setting of a path that this option made; NULL: none. */
static fsim_setting *setting_of(const fsim_parsed *parsed, const char *path, const char *option) {
    fsim_setting *found = NULL;
    for (size_t i = 0; i < parsed->setting_count; i++) {
        fsim_setting *s = &parsed->settings[i];
        found = strcmp(s->path, path) == 0 && strcmp(s->origin, option) == 0 ? s : found;
    }
    return found;
}

fsim_status fsim_workload_window(const fsim_parsed *parsed, fsim_error *err) {
    const fsim_setting *from = setting_of(parsed, "workload.from", "--from");
    const fsim_setting *scale = setting_of(parsed, "workload.scale_time", "--scale-time");
    fsim_setting *until = setting_of(parsed, "run.until", "--until");
    fsim_ns from_ns, until_ns;
    double factor = 1.0;
    if (from == NULL || until == NULL || !fsim_text_parse_span(from->text, &from_ns) ||
        !fsim_text_parse_span(until->text, &until_ns) ||
        (scale != NULL && (!fsim_text_parse_real(scale->text, &factor) || factor <= 0.0))) {
        return FSIM_OK; /* what is wrong with one of them is told where it is read */
    }
    if (until_ns <= from_ns) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--until", "'%s' found, expected an instant after --from %s",
                            until->text, from->text);
    }
    char text[48];
    fsim_text_print_span(fsim_ns_from_s(fsim_ns_to_s(until_ns - from_ns) * factor), text, sizeof text);
    until->text = fsim_value_intern(parsed->pool, text);
    return until->text != NULL ? FSIM_OK : fsim_fail(err, FSIM_ELIMIT, "out of memory");
}
