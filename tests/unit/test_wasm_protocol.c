/* The worker protocol: what is encoded is decoded, in pieces too, and nothing else is. */
#include "support/check.h"
#include "wasm/protocol.h"

static fsim_wasm_message sample(void) {
    fsim_wasm_message m = {.type = FSIM_WASM_RESULT, .id = 7, .call = 123456};
    for (uint32_t i = 0; i <= FSIM_WASM_RESULT_VALUE; i++) {
        m.value[i] = UINT64_C(0x8000000000000001) + i;
    }
    snprintf(m.text, sizeof m.text, "integer divide by zero");
    return m;
}

static void test_there_and_back(void) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    fsim_wasm_message m = sample(), out;
    size_t used = 0, size = fsim_wasm_encode(&m, frame);
    CHECK_EQ_INT(size, 16 + 7 * 8 + 22);
    CHECK_EQ_INT(frame[0], size - 4); /* little-endian, without itself */
    CHECK_EQ_INT(fsim_wasm_decode(frame, size, &out, &used, NULL), FSIM_OK);
    CHECK_EQ_INT(used, size);
    CHECK_EQ_INT(out.type, FSIM_WASM_RESULT);
    CHECK_EQ_INT(out.id, 7);
    CHECK_EQ_INT(out.call, 123456);
    for (uint32_t i = 0; i < FSIM_WASM_VALUES_MAX; i++) {
        CHECK(out.value[i] == m.value[i]);
    }
    CHECK_EQ_STR(out.text, m.text);
}

static void test_part_of_a_frame_is_no_frame_yet(void) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    fsim_wasm_message m = sample(), out;
    size_t size = fsim_wasm_encode(&m, frame);
    for (size_t n = 0; n < size; n++) {
        size_t used = 1;
        CHECK_EQ_INT(fsim_wasm_decode(frame, n, &out, &used, NULL), FSIM_OK);
        CHECK_EQ_INT(used, 0);
    }
}

static void test_every_type_fits_a_pipe_write(void) {
    for (int type = FSIM_WASM_HELLO; type < FSIM_WASM_TYPE_END; type++) {
        uint8_t frame[FSIM_WASM_FRAME_MAX];
        fsim_wasm_message m = {.type = (fsim_wasm_type)type}, out;
        memset(m.text, 'x', FSIM_WASM_TEXT_MAX);
        size_t used = 0, size = fsim_wasm_encode(&m, frame);
        CHECK(size <= FSIM_WASM_FRAME_MAX);
        CHECK(fsim_wasm_value_count((fsim_wasm_type)type) <= FSIM_WASM_VALUES_MAX);
        CHECK_EQ_INT(fsim_wasm_decode(frame, size, &out, &used, NULL), FSIM_OK);
        CHECK_EQ_INT(used, size);
        CHECK_EQ_INT(strlen(out.text), FSIM_WASM_TEXT_MAX);
    }
}

static void refused(const uint8_t *bytes, size_t size, const char *text) {
    fsim_wasm_message out;
    fsim_error err = {0};
    size_t used = 0;
    CHECK_EQ_INT(fsim_wasm_decode(bytes, size, &out, &used, &err), FSIM_EDATA);
    CHECK(strstr(err.text, text) != NULL);
    CHECK_EQ_INT(used, 0);
}

static void test_broken_streams_are_refused(void) {
    uint8_t frame[FSIM_WASM_FRAME_MAX];
    fsim_wasm_message m = sample();
    size_t size = fsim_wasm_encode(&m, frame);
    uint8_t changed[FSIM_WASM_FRAME_MAX];
    static const struct {
        size_t at;
        uint8_t byte;
        const char *text;
    } cases[] = {{1, 0x40, "bytes"}, {0, 2, "bytes"},    {4, 99, "type"},
                 {4, 0, "type"},     {6, 3, "3 values"}, {80, 0, "NUL"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("byte %zu is %u", cases[i].at, cases[i].byte);
        memcpy(changed, frame, size);
        changed[cases[i].at] = cases[i].byte;
        refused(changed, size, cases[i].text);
    }
}

int main(void) {
    RUN(test_there_and_back);
    RUN(test_part_of_a_frame_is_no_frame_yet);
    RUN(test_every_type_fits_a_pipe_write);
    RUN(test_broken_streams_are_refused);
    return check_done();
}
