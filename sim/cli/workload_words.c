#include "cli/workload_words.h"

#include "base/text.h"
#include "io/file.h"
#include "trace/trace.h"

#include <string.h>

#include <sys/stat.h>

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Rows of our own formats are streamed. The readers of others look at their files more than once. */
static fsim_status is_trace_on_stdin(bool *is_trace, fsim_error *err) {
    char head[16384];
    size_t got = fsim_file_peek("-", head, sizeof head - 1);
    head[got] = '\0';
    *is_trace = false;
    if (got == 0 || fsim_trace_is_streamed(head)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_file_keep_stdin(err));
    *is_trace = fsim_trace_recognise(FSIM_STDIN_PATH) != NULL;
    return FSIM_OK;
}

fsim_status fsim_workload_words(fsim_load_options *load, const char *const *words, size_t count,
                                fsim_error *err) {
    static const char *const kept[] = {FSIM_STDIN_PATH};
    if (count == 1 && strcmp(words[0], "-") == 0) {
        bool is_trace;
        FSIM_TRY(is_trace_on_stdin(&is_trace, err));
        words = is_trace ? kept : words;
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
