#include "cli/option.h"

#include "base/text.h"
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, SPELLING_MAX = 96 };

/* The dashes included, as the user would type it. */
static const char *spelling(const fsim_option *option, char out[SPELLING_MAX]) {
    snprintf(out, SPELLING_MAX, "--%s", option->name);
    return out;
}

static const fsim_option *find_long(const fsim_option *options, const char *name, size_t len) {
    for (const fsim_option *o = options; o->name != NULL; o++) {
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

static const fsim_option *find_letter(const fsim_option *options, char letter) {
    for (const fsim_option *o = options; o->name != NULL; o++) {
        if (o->letter != '\0' && o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

static fsim_status fail_unknown(const fsim_command *command, const char *arg, fsim_error *err) {
    const char *names[NAMES_MAX + 1] = {0};
    size_t count = 0;
    for (const fsim_option *o = command->options; o->name != NULL && count < NAMES_MAX; o++) {
        names[count++] = o->name;
    }
    char word[SPELLING_MAX];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(arg, "="), arg);
    const char *nearest = strncmp(word, "--", 2) == 0 ? fsim_text_nearest(word + 2, names) : NULL;
    if (nearest != NULL) {
        return fsim_fail_at(err, FSIM_EUSAGE, word, "no such option of 'fsim %s'; did you mean --%s?",
                            command->name, nearest);
    }
    return fsim_fail_at(err, FSIM_EUSAGE, word, "no such option of 'fsim %s'; 'fsim %s -h' lists them",
                        command->name, command->name);
}

static fsim_status push_word(fsim_word_list *list, const char *word, fsim_error *err) {
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    items[list->count++] = word;
    list->items = items;
    return FSIM_OK;
}

static fsim_status push_setting(fsim_parsed *parsed, const char *path, const char *text, const char *origin,
                                fsim_error *err) {
    fsim_setting *settings =
        realloc(parsed->settings, (parsed->setting_count + 1) * sizeof *parsed->settings);
    if (settings == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    settings[parsed->setting_count++] = (fsim_setting){path, text, origin};
    parsed->settings = settings;
    return FSIM_OK;
}

/* What the option has said before and this, in one list: given twice it means both. */
static fsim_status push_list_setting(fsim_parsed *parsed, const char *path, const char *text,
                                     const char *origin, fsim_error *err) {
    size_t i = parsed->setting_count;
    while (i > 0 && strcmp(parsed->settings[i - 1].origin, origin) != 0) {
        i--;
    }
    if (i == 0) {
        return push_setting(parsed, path, text, origin, err);
    }
    fsim_setting *last = &parsed->settings[i - 1];
    size_t size = strlen(last->text) + strlen(text) + 2;
    char *joined = fsim_value_pool_alloc(parsed->pool, size);
    if (joined == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    snprintf(joined, size, "%s,%s", last->text, text);
    last->text = joined;
    return FSIM_OK;
}

static const char *copy_part(fsim_parsed *parsed, const char *text, size_t len, fsim_error *err) {
    char *part = strndup(text, len);
    const char *kept = part == NULL ? NULL : fsim_value_intern(parsed->pool, part);
    free(part);
    if (kept == NULL) {
        fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    return kept;
}

static fsim_status read_list(fsim_parsed *parsed, const fsim_option *option, const char *text,
                             fsim_word_list *list, fsim_error *err) {
    char place[SPELLING_MAX];
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (len == 0) {
            return fsim_fail_at(err, FSIM_EUSAGE, spelling(option, place),
                                "an empty name in '%s', expected %s", text, option->operand);
        }
        const char *word = copy_part(parsed, at, len, err);
        if (word == NULL) {
            return FSIM_ELIMIT;
        }
        FSIM_TRY(push_word(list, word, err));
        at += len;
        if (*at == '\0') {
            return FSIM_OK;
        }
    }
}

static fsim_status read_set(fsim_parsed *parsed, const char *text, fsim_error *err) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return fsim_fail_at(err, FSIM_EUSAGE, "--set",
                            "'%s' found, expected KEY=VALUE, as in functions.fn.memory_mb=256", text);
    }
    const char *path = copy_part(parsed, text, (size_t)(equals - text), err);
    return path == NULL ? FSIM_ELIMIT : push_setting(parsed, path, equals + 1, "--set", err);
}

static fsim_status read_choice(const fsim_option *option, const char *text, int *out, fsim_error *err) {
    char place[SPELLING_MAX];
    char valid[256] = "";
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *out = i;
            return FSIM_OK;
        }
        size_t used = strlen(valid);
        snprintf(valid + used, sizeof valid - used, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    }
    const char *nearest = fsim_text_nearest(text, option->choices);
    return fsim_fail_at(err, FSIM_EUSAGE, spelling(option, place), "'%s' found, expected one of %s%s%s%s",
                        text, valid, nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "?");
}

/* Checks the operand as its kind demands; stores it unless it goes into the scenario, where it is read again
 * as text. */
static fsim_status read_operand(fsim_parsed *parsed, const fsim_option *option, const char *text,
                                fsim_error *err) {
    char place[SPELLING_MAX];
    spelling(option, place);
    void *field = (char *)parsed->values + option->offset;
    int64_t count = 0;
    fsim_ns span = 0;
    switch (option->kind) {
    case FSIM_OPTION_FLAG: break;
    case FSIM_OPTION_SET: return read_set(parsed, text, err);
    case FSIM_OPTION_LIST:
        if (option->setting == NULL) {
            return read_list(parsed, option, text, field, err);
        }
        break;
    case FSIM_OPTION_REPEAT: return push_word(field, text, err);
    case FSIM_OPTION_CHOICE: return read_choice(option, text, field, err);
    case FSIM_OPTION_TEXT:
        if (option->setting == NULL) {
            *(const char **)field = text;
        }
        break;
    case FSIM_OPTION_COUNT:
        if (!fsim_text_parse_count(text, &count) || count < option->min || count > option->max) {
            return fsim_fail_at(err, FSIM_EUSAGE, place,
                                "'%s' found, expected a whole number from %lld to %lld", text,
                                (long long)option->min, (long long)option->max);
        }
        if (option->setting == NULL) {
            *(int64_t *)field = count;
        }
        break;
    case FSIM_OPTION_SPAN:
        if (!fsim_text_parse_span(text, &span)) {
            return fsim_fail_at(err, FSIM_EUSAGE, place,
                                "'%s' found, expected a span with a unit, as in 250ms, 10m or 1d", text);
        }
        if (option->setting == NULL) {
            *(fsim_ns *)field = span;
        }
        break;
    }
    if (option->setting == NULL) {
        return FSIM_OK;
    }
    const char *origin = fsim_value_intern(parsed->pool, place);
    char digits[32];
    if (option->kind == FSIM_OPTION_COUNT) { /* "100k" is a count on the command line only */
        snprintf(digits, sizeof digits, "%lld", (long long)count);
        text = fsim_value_intern(parsed->pool, digits);
    }
    if (origin == NULL || text == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    return option->kind == FSIM_OPTION_LIST ? push_list_setting(parsed, option->setting, text, origin, err)
                                            : push_setting(parsed, option->setting, text, origin, err);
}

/* argv[*i] begins with a dash and is neither "-" nor "--". Advances *i over a separate operand. */
static fsim_status read_option(fsim_parsed *parsed, int argc, char **argv, int *i, fsim_error *err) {
    const char *arg = argv[*i];
    const fsim_option *option;
    const char *operand = NULL;
    if (arg[1] == '-') {
        size_t len = strcspn(arg + 2, "=");
        option = find_long(parsed->command->options, arg + 2, len);
        operand = arg[2 + len] == '=' ? arg + 3 + len : NULL;
    } else {
        option = find_letter(parsed->command->options, arg[1]);
        operand = arg[1] != '\0' && arg[2] != '\0' ? arg + 2 : NULL; /* -n5 */
    }
    if (option == NULL || (option->kind == FSIM_OPTION_FLAG && arg[1] != '-' && operand != NULL)) {
        return fail_unknown(parsed->command, arg, err);
    }
    char place[SPELLING_MAX];
    spelling(option, place);
    if (option->kind == FSIM_OPTION_FLAG) {
        if (operand != NULL) {
            return fsim_fail_at(err, FSIM_EUSAGE, place, "'%s' found, but this option takes no value",
                                operand);
        }
        *((bool *)((char *)parsed->values + option->offset)) = true;
        return FSIM_OK;
    }
    if (operand == NULL) {
        if (*i + 1 >= argc) {
            return fsim_fail_at(err, FSIM_EUSAGE, place, "a value is missing, expected %s", option->operand);
        }
        operand = argv[++*i];
    }
    return read_operand(parsed, option, operand, err);
}

static fsim_status read_all(fsim_parsed *parsed, int argc, char **argv, fsim_error *err) {
    bool options_ended = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (options_ended || arg[0] != '-' || arg[1] == '\0') {
            if (parsed->word_count == parsed->command->words_max) {
                return fsim_fail_at(err, FSIM_EUSAGE, arg, "one word too many for 'fsim %s%s%s'",
                                    parsed->command->name, *parsed->command->arguments == '\0' ? "" : " ",
                                    parsed->command->arguments);
            }
            parsed->words[parsed->word_count++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            options_ended = true;
        } else {
            FSIM_TRY(read_option(parsed, argc, argv, &i, err));
        }
    }
    if (parsed->word_count < parsed->command->words_min) {
        return fsim_fail(err, FSIM_EUSAGE, "a word is missing: fsim %s %s; 'fsim %s -h' says more",
                         parsed->command->name, parsed->command->arguments, parsed->command->name);
    }
    return FSIM_OK;
}

static void look_for_help(fsim_parsed *parsed, int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        parsed->short_help = parsed->short_help || strcmp(argv[i], "-h") == 0;
        parsed->full_help = parsed->full_help || strcmp(argv[i], "--help") == 0;
    }
}

fsim_status fsim_options_parse(fsim_parsed *out, const fsim_command *command, int argc, char **argv,
                               fsim_error *err) {
    *out = (fsim_parsed){.command = command};
    look_for_help(out, argc, argv);
    if (out->short_help || out->full_help) {
        return FSIM_OK;
    }
    out->pool = fsim_value_pool_create();
    out->values = calloc(1, command->values_size + 1);
    out->words = calloc((size_t)argc + 1, sizeof *out->words);
    fsim_status status = out->pool == NULL || out->values == NULL || out->words == NULL
                             ? fsim_fail(err, FSIM_ELIMIT, "out of memory")
                             : read_all(out, argc, argv, err);
    if (status != FSIM_OK) {
        fsim_parsed_destroy(out);
    }
    return status;
}

void fsim_parsed_destroy(fsim_parsed *parsed) {
    for (const fsim_option *o = parsed->command->options; parsed->values != NULL && o->name != NULL; o++) {
        if (o->setting == NULL && (o->kind == FSIM_OPTION_LIST || o->kind == FSIM_OPTION_REPEAT)) {
            free(((fsim_word_list *)(void *)((char *)parsed->values + o->offset))->items);
        }
    }
    free(parsed->values);
    free(parsed->words);
    free(parsed->settings);
    fsim_value_pool_destroy(parsed->pool);
    *parsed = (fsim_parsed){.command = parsed->command};
}
