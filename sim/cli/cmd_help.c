/* fsim help [COMMAND], fsim version */
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"

static const fsim_option no_options[] = {{.name = NULL}};

static fsim_status run_help(const fsim_parsed *parsed, fsim_error *err) {
    const fsim_command *command = NULL;
    if (parsed->word_count > 0) {
        const char *name = parsed->words[0];
        command = fsim_command_find(name);
        if (command == NULL) {
            const char *nearest = fsim_command_nearest(name);
            return nearest != NULL
                       ? fsim_fail_at(err, FSIM_EUSAGE, name, "unknown command; did you mean %s?", nearest)
                       : fsim_fail_at(err, FSIM_EUSAGE, name, "unknown command; 'fsim help' lists them");
        }
    }
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    if (command == NULL) {
        fsim_help_program(output.stream);
    } else {
        fsim_help_command(output.stream, command, true);
    }
    return fsim_output_end(&output, FSIM_OK, err);
}

const fsim_command fsim_command_help = {
    .name = "help",
    .summary = "what there is, or all about one command",
    .arguments = "[COMMAND]",
    .options = no_options,
    .words_max = 1,
    .run = run_help,
};

static fsim_status run_version(const fsim_parsed *parsed, fsim_error *err) {
    (void)parsed;
    fsim_output output;
    FSIM_TRY(fsim_output_begin(&output, err));
    fprintf(output.stream, "fsim %s\n", FSIM_VERSION);
    return fsim_output_end(&output, FSIM_OK, err);
}

const fsim_command fsim_command_version = {
    .name = "version",
    .summary = "the version",
    .arguments = "",
    .options = no_options,
    .run = run_version,
};
