/* The option tables' parser: both spellings, lists, settings, limits, and what is said when it is wrong. */
#include "cli/command.h"
#include "cli/option.c"
#include "support/check.h"

#include <stddef.h>

typedef struct values {
    bool flag;
    const char *text;
    fsim_word_list list, each;
    int64_t count;
    fsim_ns span;
    int choice;
} values;

static const char *const choices[] = {"red", "green", NULL};

static const fsim_option table[] = {
    {.name = "flag", .letter = 'f', .kind = FSIM_OPTION_FLAG, .offset = offsetof(values, flag)},
    {.name = "text",
     .letter = 't',
     .kind = FSIM_OPTION_TEXT,
     .offset = offsetof(values, text),
     .operand = "TEXT"},
    {.name = "list", .kind = FSIM_OPTION_LIST, .offset = offsetof(values, list), .operand = "A[,A]"},
    {.name = "each", .kind = FSIM_OPTION_REPEAT, .offset = offsetof(values, each), .operand = "A"},
    {.name = "count",
     .letter = 'n',
     .kind = FSIM_OPTION_COUNT,
     .offset = offsetof(values, count),
     .operand = "N",
     .min = 1,
     .max = 5000000},
    {.name = "span", .kind = FSIM_OPTION_SPAN, .offset = offsetof(values, span), .operand = "SPAN"},
    {.name = "choice",
     .kind = FSIM_OPTION_CHOICE,
     .offset = offsetof(values, choice),
     .operand = "COLOUR",
     .choices = choices},
    {.name = "seed", .kind = FSIM_OPTION_COUNT, .operand = "N", .setting = "run.seed", .max = INT64_MAX},
    {.name = "books", .letter = 'b', .kind = FSIM_OPTION_LIST, .operand = "A[,A]", .setting = "books"},
    {.name = "set", .kind = FSIM_OPTION_SET, .operand = "KEY=VALUE"},
    {.name = NULL},
};

static const fsim_command command = {
    .name = "try", .arguments = "[A [B]]", .options = table, .values_size = sizeof(values), .words_max = 2};

/* Splits `line` at blanks. */
static fsim_status parse(fsim_parsed *out, const char *line, fsim_error *err) {
    static char copy[512];
    static char *argv[32];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        argv[argc++] = word;
    }
    *err = (fsim_error){0};
    return fsim_options_parse(out, &command, argc, argv, err);
}

static void test_spellings(void) {
    static const char *const lines[] = {"a --text x --count 7 b", "--text=x a b --count=7", "-tx -n 7 a b",
                                        "--count 9 a --count 7 b -t x"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        fsim_parsed p;
        fsim_error err;
        check_context("%s", lines[i]);
        REQUIRE(parse(&p, lines[i], &err) == FSIM_OK);
        const values *v = p.values;
        CHECK_EQ_STR(v->text, "x");
        CHECK_EQ_INT(v->count, 7);
        CHECK(!v->flag);
        CHECK_EQ_INT(p.word_count, 2);
        CHECK_EQ_STR(p.words[1], "b");
        fsim_parsed_destroy(&p);
    }
}

static void test_lists(void) {
    fsim_parsed p;
    fsim_error err;
    REQUIRE(parse(&p, "--list a,b --each x,y --list c --each z -f", &err) == FSIM_OK);
    const values *v = p.values;
    CHECK(v->flag);
    REQUIRE(v->list.count == 3 && v->each.count == 2);
    CHECK_EQ_STR(v->list.items[2], "c");
    CHECK_EQ_STR(v->each.items[0], "x,y");
    fsim_parsed_destroy(&p);
}

static void test_settings_in_order(void) {
    fsim_parsed p;
    fsim_error err;
    REQUIRE(parse(&p, "--set a.b=1 --seed 2k --set a.b=c=d", &err) == FSIM_OK);
    REQUIRE(p.setting_count == 3);
    CHECK_EQ_STR(p.settings[0].path, "a.b");
    CHECK_EQ_STR(p.settings[0].origin, "--set");
    CHECK_EQ_STR(p.settings[1].path, "run.seed");
    CHECK_EQ_STR(p.settings[1].text, "2000");
    CHECK_EQ_STR(p.settings[1].origin, "--seed");
    CHECK_EQ_STR(p.settings[2].text, "c=d");
    fsim_parsed_destroy(&p);
}

/* Given twice it means both, as a list that is no setting does. */
static void test_setting_that_is_a_list(void) {
    fsim_parsed p;
    fsim_error err;
    REQUIRE(parse(&p, "--set books=z --books a --list l --seed 1 -b b,c", &err) == FSIM_OK);
    REQUIRE(p.setting_count == 3);
    CHECK_EQ_STR(p.settings[0].text, "z");
    CHECK_EQ_STR(p.settings[1].path, "books");
    CHECK_EQ_STR(p.settings[1].text, "a,b,c");
    CHECK_EQ_INT(((const values *)p.values)->list.count, 1);
    fsim_parsed_destroy(&p);
}

static void test_units(void) {
    fsim_parsed p;
    fsim_error err;
    REQUIRE(parse(&p, "--count 2M --span 1.5s --choice green -- --flag -", &err) == FSIM_OK);
    const values *v = p.values;
    CHECK_EQ_INT(v->count, 2000000);
    CHECK_EQ_INT(v->span, 1500 * FSIM_MS);
    CHECK_EQ_INT(v->choice, 1);
    CHECK(!v->flag);
    REQUIRE(p.word_count == 2);
    CHECK_EQ_STR(p.words[0], "--flag");
    CHECK_EQ_STR(p.words[1], "-");
    fsim_parsed_destroy(&p);
}

static void test_wrong(void) {
    static const struct {
        const char *line, *place, *text;
    } wrong[] = {
        {"--cuont 3", "--cuont", "did you mean --count?"},
        {"--zzzzzz", "--zzzzzz", "'fsim try -h' lists them"},
        {"-x", "-x", "no such option"},
        {"--count 0", "--count", "from 1 to 5000000"},
        {"--count 6M", "--count", "from 1 to 5000000"},
        {"--count many", "--count", "'many' found"},
        {"--count", "--count", "a value is missing, expected N"},
        {"--span 5", "--span", "a span with a unit"},
        {"--choice gren", "--choice", "did you mean green?"},
        {"--flag=yes", "--flag", "takes no value"},
        {"--list a,,b", "--list", "an empty name"},
        {"--set novalue", "--set", "expected KEY=VALUE"},
        {"--set =1", "--set", "expected KEY=VALUE"},
        {"a b c", "c", "one word too many"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fsim_parsed p;
        fsim_error err;
        check_context("%s", wrong[i].line);
        CHECK_EQ_INT(parse(&p, wrong[i].line, &err), FSIM_EUSAGE);
        CHECK_EQ_STR(err.place, wrong[i].place);
        CHECK_CONTAINS(err.text, wrong[i].text);
    }
}

static void test_help_wins(void) {
    fsim_parsed p;
    fsim_error err;
    REQUIRE(parse(&p, "--wrong -h", &err) == FSIM_OK);
    CHECK(p.short_help && !p.full_help);
    REQUIRE(parse(&p, "a b c --help", &err) == FSIM_OK);
    CHECK(p.full_help);
    CHECK_EQ_INT(parse(&p, "-- --help", &err), FSIM_OK);
    CHECK(!p.full_help);
    fsim_parsed_destroy(&p);
}

int main(void) {
    RUN(test_spellings);
    RUN(test_lists);
    RUN(test_settings_in_order);
    RUN(test_setting_that_is_a_list);
    RUN(test_units);
    RUN(test_wrong);
    RUN(test_help_wins);
    return check_done();
}
