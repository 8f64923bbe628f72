/* Options as a table: one row per option gives the parser, `-h`, `--help`, the error messages with the
 * nearest name, and the path in the scenario that the option sets. Both spellings are read, `--seed 7` and
 * `--seed=7`; options and words may be mixed; `--` ends the options; `-` alone is a word. */
#ifndef FSIM_CLI_OPTION_H
#define FSIM_CLI_OPTION_H

#include "io/scenario_load.h"

typedef enum fsim_option_kind {
    FSIM_OPTION_FLAG,   /* bool */
    FSIM_OPTION_TEXT,   /* const char * */
    FSIM_OPTION_LIST,   /* fsim_word_list: commas separate, a further use appends */
    FSIM_OPTION_REPEAT, /* fsim_word_list: one entry a use, commas belong to it */
    FSIM_OPTION_COUNT,  /* int64_t in [min, max]; units k M G allowed */
    FSIM_OPTION_SPAN,   /* fsim_ns */
    FSIM_OPTION_CHOICE, /* int: index into choices */
    FSIM_OPTION_SET     /* KEY=VALUE: any key of the scenario */
} fsim_option_kind;

typedef struct fsim_word_list {
    const char **items; /* owned by the fsim_parsed they belong to */
    size_t count;
} fsim_word_list;

/* The last row of a table has name NULL. */
typedef struct fsim_option {
    const char *name; /* without the dashes */
    char letter;      /* short spelling, or 0 */
    fsim_option_kind kind;
    size_t offset;       /* of the field in the command's struct; unused with `setting` and FSIM_OPTION_SET */
    const char *operand; /* "SPAN", "FILE"; NULL for flags */
    const char *help;    /* one line */
    const char *more;    /* further lines of --help; NULL */
    const char *setting; /* key of the scenario that this option is a short form of; NULL: stored at offset */
    int64_t min, max;    /* COUNT */
    const char *const *choices;
} fsim_option;

struct fsim_command;

/* What a command line said. The settings are those of --set and of options with a `setting`, in the order
 * given. */
typedef struct fsim_parsed {
    const struct fsim_command *command;
    void *values; /* the command's struct, zeroed before parsing */
    const char **words;
    size_t word_count;
    fsim_setting *settings;
    size_t setting_count;
    bool short_help, full_help; /* -h, --help: nothing else was checked */
    fsim_value_pool *pool;      /* owns the strings that had to be copied */
} fsim_parsed;

/* Reads argv[0 … argc) (program and command name already removed). On failure (FSIM_EUSAGE, FSIM_ELIMIT) *out
 * needs no destroy. */
fsim_status fsim_options_parse(fsim_parsed *out, const struct fsim_command *command, int argc, char **argv,
                               fsim_error *err);
void fsim_parsed_destroy(fsim_parsed *parsed);

#endif
