#include "cli/help.h"

#include <string.h>

static void print_option(FILE *out, const fsim_option *option, bool full) {
    char left[64];
    char letter[8] = "    ";
    if (option->letter != '\0') {
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    }
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->operand == NULL ? "" : " ",
             option->operand == NULL ? "" : option->operand);
    fprintf(out, "  %-26s %s%s", left, strlen(left) > 26 ? "\n                             " : "",
            option->help);
    if (option->kind == FSIM_OPTION_CHOICE) {
        for (int i = 0; option->choices[i] != NULL; i++) {
            fprintf(out, "%s%s", i == 0 ? ": " : ", ", option->choices[i]);
        }
    }
    fputc('\n', out);
    if (!full) {
        return;
    }
    for (const char *line = option->more; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        fprintf(out, "                               %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    if (option->setting != NULL) {
        fprintf(out, "                               the same as --set %s=%s\n", option->setting,
                option->operand);
    }
}

static void print_indented(FILE *out, const char *text) {
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        fprintf(out, "  %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void print_exit_codes(FILE *out) {
    fputs("\nExit codes:\n"
          "  0   done\n"
          "  1   a question answered no (--fail-if, validate)\n"
          "  2   the command line is wrong\n"
          "  3   bad scenario, policy or price book\n"
          "  4   bad trace data\n"
          "  5   file system\n"
          "  6   a named limit is exceeded\n"
          "  70  internal error\n",
          out);
}

void fsim_help_program(FILE *out) {
    fputs("fsim predicts what a serverless platform does with a workload: instances, waits,\n"
          "refusals, cold starts and the bill.\n\n"
          "Usage: fsim WORKLOAD [options]        simulate (the same as fsim run WORKLOAD)\n"
          "       fsim COMMAND [options]\n\nCommands:\n",
          out);
    for (size_t i = 0; fsim_commands[i] != NULL; i++) {
        fprintf(out, "  %-10s %s\n", fsim_commands[i]->name, fsim_commands[i]->summary);
    }
    fputs("\n'fsim COMMAND -h' shows the options of a command, 'fsim COMMAND --help' all there is to know.\n"
          "\nStart with:\n"
          "  fsim car-log --policy knative,lambda\n"
          "  fsim list\n",
          out);
    print_exit_codes(out);
}

void fsim_help_command(FILE *out, const fsim_command *command, bool full) {
    bool has_options = command->options[0].name != NULL;
    fprintf(out, "fsim %s: %s\n\nUsage: fsim %s%s%s%s\n", command->name, command->summary, command->name,
            *command->arguments == '\0' ? "" : " ", command->arguments, has_options ? " [options]" : "");
    if (full && command->detail != NULL) {
        fprintf(out, "\n%s", command->detail);
    }
    if (has_options) {
        fputs("\nOptions:\n", out);
        for (const fsim_option *o = command->options; o->name != NULL; o++) {
            print_option(out, o, full);
        }
    }
    if (full && command->examples != NULL) {
        fputs("\nExamples:\n", out);
        print_indented(out, command->examples);
    }
    if (full) {
        print_exit_codes(out);
    } else {
        fprintf(out, "\n'fsim %s --help' says more.\n", command->name);
    }
}
