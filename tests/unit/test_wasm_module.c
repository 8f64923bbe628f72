/* The module checker: the shipped functions pass, and each reason to refuse one is given for it. */
#include "io/file.h"
#include "support/check.h"
#include "wasm/module.h"

static const fsim_wasm_bounds bounds = {1u << 20, 256, 1000};

static uint8_t *load(const char *path, size_t *size) {
    char *bytes = NULL;
    fsim_error err = {0};
    REQUIRE(fsim_file_read_all(path, 1u << 20, &bytes, size, &err) == FSIM_OK);
    return (uint8_t *)bytes;
}

static void test_shipped_functions_pass(void) {
    static const struct {
        const char *path;
        bool wasi, memory;
        fsim_wasm_result_type result;
    } cases[] = {{"workloads/wasm/empty.wasm", false, false, FSIM_WASM_NOTHING},
                 {"workloads/wasm/cpu.wasm", false, true, FSIM_WASM_I32},
                 {"workloads/wasm/cpu_20ms.wasm", false, true, FSIM_WASM_I32},
                 {"workloads/wasm/cpu_50ms.wasm", false, true, FSIM_WASM_I32},
                 {"workloads/wasm/sha256.wasm", false, true, FSIM_WASM_I32},
                 {"workloads/wasm/output.wasm", true, true, FSIM_WASM_I32},
                 {"workloads/wasm/alloc.wasm", false, true, FSIM_WASM_I32}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = 0;
        fsim_wasm_module module;
        fsim_error err = {0};
        check_context("%s", cases[i].path);
        uint8_t *bytes = load(cases[i].path, &size);
        CHECK_EQ_INT(fsim_wasm_check(&module, bytes, size, &bounds, "m", &err), FSIM_OK);
        CHECK_EQ_INT(module.imports_wasi, cases[i].wasi);
        CHECK_EQ_INT(module.exports_memory, cases[i].memory);
        CHECK_EQ_INT(module.result, cases[i].result);
        CHECK_EQ_STR(fsim_wasm_entry(&module), "run");
        free(bytes);
    }
}

/* Cut off anywhere, a module is refused; nothing beyond its end is read (the sanitizers see to that). */
static void test_every_truncation_is_refused(void) {
    size_t size = 0;
    uint8_t *bytes = load("workloads/wasm/output.wasm", &size);
    for (size_t n = 0; n < size; n++) {
        uint8_t *cut = malloc(n + (n == 0));
        fsim_wasm_module module;
        fsim_error err = {0};
        REQUIRE(cut != NULL);
        memcpy(cut, bytes, n);
        fsim_status status = fsim_wasm_check(&module, cut, n, &bounds, "m", &err);
        /* Where only whole sections behind the code are missing, the rest is a module. */
        CHECK(status == FSIM_EDATA || n > 600);
        free(cut);
    }
    free(bytes);
}

#define HEADER   "\0asm\1\0\0\0"
#define TYPE     "\1\4\1\x60\0\0"
#define FUNCTION "\3\2\1\0"
#define CODE     "\xa\4\1\2\0\xb"
#define EXPORT   "\7\7\1\3run\0\0"

static void test_reasons(void) {
    static const struct {
        const char *text, *bytes;
        size_t size;
        fsim_status status;
    } cases[] = {
#define CASE(text, status, bytes) {text, bytes, sizeof bytes - 1, status}
        CASE("", FSIM_OK, HEADER TYPE FUNCTION EXPORT CODE),
        CASE("cut off: 3 bytes", FSIM_EDATA, "\0as"),
        CASE("not a Wasm module", FSIM_EDATA, "#!/bin/sh\n"),
        CASE("component", FSIM_EDATA, "\0asm\xd\0\1\0"),
        CASE("of version 1", FSIM_EDATA, "\0asm\2\0\0\0"),
        CASE("nothing to call", FSIM_EDATA, HEADER TYPE FUNCTION CODE),
        CASE("nothing to call", FSIM_EDATA, HEADER),
        CASE("takes 1 values", FSIM_EDATA, HEADER "\1\5\1\x60\1\x7f\0" FUNCTION EXPORT CODE),
        CASE("gives 2", FSIM_EDATA, HEADER "\1\6\1\x60\0\2\x7f\x7f" FUNCTION EXPORT CODE),
        CASE("the function \"nope\" of \"env\"", FSIM_EDATA, HEADER TYPE "\2\x0c\1\3env\4nope\0\0"),
        CASE("the memory \"m\" of \"env\"", FSIM_EDATA, HEADER TYPE "\2\xa\1\3env\1m\2\0\1"),
        CASE("the nearest is fd_write", FSIM_EDATA,
             HEADER TYPE "\2\x23\1\x16wasi_snapshot_preview1\x08"
                         "fd_writ_\0\0"),
        CASE("\"wasmedge\"", FSIM_EDATA, HEADER TYPE FUNCTION EXPORT CODE "\0\xa\x08wasmedge\0"),
        CASE("a memory of 257 pages", FSIM_ELIMIT, HEADER "\5\4\1\0\x81\2"),
        CASE("tables of 1001 entries", FSIM_ELIMIT, HEADER "\4\5\1\x70\0\xe9\7"),
        CASE("limits of kind 4", FSIM_EDATA, HEADER "\5\3\1\4\1"),
        CASE("out of order or twice", FSIM_EDATA, HEADER "\3\1\0" TYPE),
        CASE("out of order or twice", FSIM_EDATA, HEADER TYPE TYPE),
        CASE("number 13", FSIM_EDATA, HEADER "\xd\0"),
        CASE("section has 9 bytes", FSIM_EDATA, HEADER "\1\x09\1"),
        CASE("longer than its content", FSIM_EDATA, HEADER "\1\5\1\x60\0\0\0"),
        CASE("more than 32 bits", FSIM_EDATA, HEADER "\1\6\xff\xff\xff\xff\x7f\0"),
        CASE("1 functions are declared and 0 have a body", FSIM_EDATA, HEADER TYPE FUNCTION EXPORT),
        CASE("exports function 1 of 1", FSIM_EDATA, HEADER TYPE FUNCTION "\7\7\1\3run\0\1" CODE),
        CASE("has type 3 of 1", FSIM_EDATA, HEADER TYPE "\3\2\1\3" EXPORT CODE),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fsim_wasm_module module;
        fsim_error err = {0};
        check_context("case %zu, %s", i, cases[i].text);
        fsim_status status =
            fsim_wasm_check(&module, (const uint8_t *)cases[i].bytes, cases[i].size, &bounds, "m.wasm", &err);
        CHECK_EQ_INT(status, cases[i].status);
        if (strstr(err.text, cases[i].text) == NULL) {
            CHECK_EQ_STR(err.text, cases[i].text);
        }
        CHECK(status == FSIM_OK || strncmp(err.place, "m.wasm@", 7) == 0);
    }
}

static void test_a_module_of_a_megabyte_and_a_byte_is_too_large(void) {
    static uint8_t bytes[(1u << 20) + 1u];
    fsim_wasm_module module;
    fsim_error err = {0};
    CHECK_EQ_INT(fsim_wasm_check(&module, bytes, sizeof bytes, &bounds, "m", &err), FSIM_ELIMIT);
}

static void test_commands_and_reactors(void) {
    static const char command[] = HEADER TYPE FUNCTION "\7\xa\1\6_start\0\0" CODE;
    static const char reactor[] = HEADER TYPE FUNCTION "\7\x15\2\3run\0\0\x0b_initialize\0\0" CODE;
    fsim_wasm_module module;
    CHECK_EQ_INT(fsim_wasm_check(&module, (const uint8_t *)command, sizeof command - 1, &bounds, "m", NULL),
                 FSIM_OK);
    CHECK(module.is_command);
    CHECK_EQ_STR(fsim_wasm_entry(&module), "_start");
    CHECK_EQ_INT(fsim_wasm_check(&module, (const uint8_t *)reactor, sizeof reactor - 1, &bounds, "m", NULL),
                 FSIM_OK);
    CHECK(module.is_reactor && !module.is_command);
}

int main(void) {
    RUN(test_shipped_functions_pass);
    RUN(test_every_truncation_is_refused);
    RUN(test_reasons);
    RUN(test_a_module_of_a_megabyte_and_a_byte_is_too_large);
    RUN(test_commands_and_reactors);
    return check_done();
}
