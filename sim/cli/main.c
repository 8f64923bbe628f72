/* fsim: finds the command, reads its options, and turns its status into one message on stderr and an exit
 * code. */
#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"
#include "io/embedded.h"

#include <gsl/gsl_errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off: one a line */
extern const fsim_command fsim_command_run, fsim_command_compare, fsim_command_decide, fsim_command_bill,
    fsim_command_breakeven, fsim_command_generate, fsim_command_convert, fsim_command_plot,
    fsim_command_calibrate, fsim_command_exec, fsim_command_list, fsim_command_explain, fsim_command_inspect,
    fsim_command_validate, fsim_command_bench, fsim_command_help, fsim_command_version;

const fsim_command *const fsim_commands[] = {
    &fsim_command_run,     &fsim_command_compare,   &fsim_command_decide,
    &fsim_command_bill,    &fsim_command_breakeven, &fsim_command_generate,
    &fsim_command_convert, &fsim_command_plot,      &fsim_command_calibrate,
    &fsim_command_exec,    &fsim_command_list,      &fsim_command_explain,
    &fsim_command_inspect, &fsim_command_validate,  &fsim_command_bench,
    &fsim_command_help,    &fsim_command_version,   NULL,
};
/* clang-format on */

enum { COMMAND_COUNT = sizeof fsim_commands / sizeof fsim_commands[0] };

const fsim_command *fsim_command_find(const char *name) {
    for (size_t i = 0; fsim_commands[i] != NULL; i++) {
        if (strcmp(fsim_commands[i]->name, name) == 0) {
            return fsim_commands[i];
        }
    }
    return NULL;
}

const char *fsim_command_nearest(const char *name) {
    const char *names[COMMAND_COUNT] = {0};
    for (size_t i = 0; fsim_commands[i] != NULL; i++) {
        names[i] = fsim_commands[i]->name;
    }
    return fsim_text_nearest(name, names);
}

/* `fsim WORD …` without a command: a built-in workload, standard input, or anything that looks like or is a
 * file. */
static bool is_workload(const char *word) {
    for (const fsim_embedded *w = fsim_embedded_workloads; w->name != NULL; w++) {
        if (strcmp(w->name, word) == 0) {
            return true;
        }
    }
    return strcmp(word, "-") == 0 || strpbrk(word, "./") != NULL || access(word, F_OK) == 0;
}

static const char *nearest_workload(const char *word) {
    const char *names[64] = {0};
    for (size_t i = 0; fsim_embedded_workloads[i].name != NULL && i < 63; i++) {
        names[i] = fsim_embedded_workloads[i].name;
    }
    return fsim_text_nearest(word, names);
}

static fsim_status fail_unknown_word(const char *word, fsim_error *err) {
    const char *nearest = fsim_command_nearest(word);
    if (nearest == NULL) {
        nearest = nearest_workload(word);
    }
    if (nearest != NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, word,
                            "unknown command, and no workload of that name; did you mean %s?", nearest);
    }
    return fsim_fail_at(err, FSIM_EUSAGE, word,
                        "unknown command, and no workload of that name; 'fsim help' lists the commands");
}

static fsim_status show_help(const fsim_command *command, bool full, fsim_error *err) {
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    if (command == NULL) {
        fsim_help_program(output.stream);
    } else {
        fsim_help_command(output.stream, command, full);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

static fsim_status run_command(const fsim_command *command, int argc, char **argv, fsim_error *err) {
    fsim_parsed parsed;
    FSIM_TRY(fsim_options_parse(&parsed, command, argc, argv, err));
    if (parsed.short_help || parsed.full_help) {
        return show_help(command, parsed.full_help, err);
    }
    fsim_status status = command->run(&parsed, err);
    fsim_parsed_destroy(&parsed);
    return status;
}

static fsim_status dispatch(int argc, char **argv, fsim_error *err) {
    if (argc < 2) {
        return fsim_fail(err, FSIM_EUSAGE, "a workload or a command is missing; 'fsim help' lists both");
    }
    const char *word = argv[1];
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        return show_help(NULL, true, err);
    }
    if (strcmp(word, "--version") == 0) {
        word = "version";
    }
    const fsim_command *command = fsim_command_find(word);
    if (command != NULL) {
        return run_command(command, argc - 2, argv + 2, err);
    }
    if (word[0] == '-' || is_workload(word)) {
        return run_command(&fsim_command_run, argc - 1, argv + 1, err);
    }
    return fail_unknown_word(word, err);
}

int main(int argc, char **argv) {
    /* A reader that goes away makes write() fail with EPIPE, which ends the command without an error. */
    signal(SIGPIPE, SIG_IGN);
    /* A file that may not grow (ulimit -f) makes it fail with EFBIG, which is said, as a full disk is. */
    signal(SIGXFSZ, SIG_IGN);
    gsl_set_error_handler_off(); /* it would abort; the callers look at what they get */
    fsim_error err = {0};
    fsim_status status = dispatch(argc, argv, &err);
    if (status != FSIM_OK && err.text[0] != '\0') {
        fprintf(stderr, "fsim: %s%s%s\n", err.place, err.place[0] == '\0' ? "" : ": ", err.text);
    }
    return (int)status;
}
