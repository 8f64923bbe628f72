/* Traces on standard input: which of them have to be kept to be read more than once, and keeping them. */
#include "io/file.h"
#include "io/json_reader.h"
#include "support/check.h"
#include "trace/trace.h"

#include <unistd.h>

static fsim_error err;

static void test_own_formats_are_streamed(void) {
    static const struct {
        const char *head;
        bool streamed;
    } cases[] = {
        {"arrival_s,function\n1,a\n", true},
        {"function, \"Arrival_MS\" ,session\r\n", true},
        {"\xef\xbb\xbftime_s,requests\n", false},
        {"\xef\xbb\xbfsession,arrival_us\n", true},
        {"\nfunction,arrival_ns", true},
        {"\x89"
         "FST\r\n",
         true},
        {" {\"schema\": \"fsim.scenario/1\"}", true},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\"", false},
        {"time_stamp,value\n", false},
        {"app,func,end_timestamp,duration\narrival_s,arrival_s,1,1\n", false},
        {"127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /{a}\" 200 1\n", false},
        {"\x1f\x8b\x08", false},
        {"17\n", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_context("case %zu", i);
        CHECK(fsim_trace_is_streamed(cases[i].head) == cases[i].streamed);
    }
}

/* Puts `text` into a pipe, and the pipe in the place of standard input. */
static void type_in(const char *text) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
    REQUIRE(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
}

static void test_kept_for_many_readers(void) {
    static const char text[] = "app,func,end_timestamp,duration\na,f,3,1\n";
    char *bytes;
    size_t size;
    type_in(text);
    REQUIRE(fsim_file_keep_stdin(&err) == FSIM_OK);
    for (int k = 0; k < 2; k++) {
        REQUIRE(fsim_file_read_all(FSIM_STDIN_PATH, 1000, &bytes, &size, &err) == FSIM_OK);
        CHECK_EQ_STR(bytes, text);
        CHECK_EQ_INT(size, strlen(text));
        free(bytes);
    }
    CHECK_EQ_STR(fsim_trace_recognise(FSIM_STDIN_PATH), "azure-2021");
    /* Kept already; and who reads it once finds it from its beginning. */
    REQUIRE(fsim_file_keep_stdin(&err) == FSIM_OK);
    char head[4];
    REQUIRE(read(STDIN_FILENO, head, 4) == 4);
    CHECK(memcmp(head, "app,", 4) == 0);
}

static void test_json_by_its_first_byte(void) {
    type_in(" \n{\"data\": 1}");
    CHECK(fsim_json_is_object("-"));
    CHECK(fsim_json_is_object("-")); /* nothing was taken */
    type_in("time_s,value\n");
    CHECK(!fsim_json_is_object("-"));
    CHECK(!fsim_json_is_object("no-such-file"));
}

int main(void) {
    RUN(test_own_formats_are_streamed);
    RUN(test_kept_for_many_readers);
    RUN(test_json_by_its_first_byte);
    return check_done();
}
