#include "wasm/protocol.h"

#include <string.h>

static const uint8_t value_counts[FSIM_WASM_TYPE_END] = {
    [FSIM_WASM_HELLO] = FSIM_WASM_HELLO_VERIFY + 1,
    [FSIM_WASM_LOAD] = FSIM_WASM_LOAD_AGAIN + 1,
    [FSIM_WASM_LOADED] = FSIM_WASM_LOADED_COUNTS + 1,
    [FSIM_WASM_START] = 0,
    [FSIM_WASM_READY] = FSIM_WASM_READY_AT + 1,
    [FSIM_WASM_CALL] = 0,
    [FSIM_WASM_RESULT] = FSIM_WASM_RESULT_VALUE + 1,
    [FSIM_WASM_EXITED] = FSIM_WASM_EXITED_AT + 1,
    [FSIM_WASM_MEASURE] = FSIM_WASM_MEASURE_COLD + 1,
    [FSIM_WASM_PHASES] = FSIM_WASM_PHASE_COUNT,
    [FSIM_WASM_MEASURED] = 0,
    [FSIM_WASM_FAILED] = FSIM_WASM_FAILED_STATUS + 1,
    [FSIM_WASM_KILL] = 0,
};

uint32_t fsim_wasm_value_count(fsim_wasm_type type) {
    return type >= FSIM_WASM_HELLO && type < FSIM_WASM_TYPE_END ? value_counts[type] : 0;
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

static uint64_t get(const uint8_t *at, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

size_t fsim_wasm_encode(const fsim_wasm_message *message, uint8_t out[FSIM_WASM_FRAME_MAX]) {
    uint32_t count = fsim_wasm_value_count(message->type);
    size_t text = strnlen(message->text, FSIM_WASM_TEXT_MAX);
    size_t size = FSIM_WASM_HEADER + 8u * count + text;
    uint8_t *at = put(out, size - 4u, 4);
    at = put(at, (uint64_t)message->type, 2);
    at = put(at, count, 2);
    at = put(at, message->id, 4);
    at = put(at, message->call, 4);
    for (uint32_t i = 0; i < count; i++) {
        at = put(at, message->value[i], 8);
    }
    memcpy(at, message->text, text);
    return size;
}

fsim_status fsim_wasm_decode(const uint8_t *bytes, size_t size, fsim_wasm_message *out, size_t *used,
                             fsim_error *err) {
    *used = 0;
    if (size < 4) {
        return FSIM_OK;
    }
    uint64_t length = get(bytes, 4) + 4u;
    if (length < FSIM_WASM_HEADER || length > FSIM_WASM_FRAME_MAX) {
        return fsim_fail(err, FSIM_EDATA, "a frame of %llu bytes, expected %u to %u",
                         (unsigned long long)length, FSIM_WASM_HEADER, FSIM_WASM_FRAME_MAX);
    }
    if (size < FSIM_WASM_HEADER) {
        return FSIM_OK;
    }
    uint64_t type = get(bytes + 4, 2), count = get(bytes + 6, 2);
    if (type < FSIM_WASM_HELLO || type >= FSIM_WASM_TYPE_END) {
        return fsim_fail(err, FSIM_EDATA, "a frame of type %llu, expected 1 to %d", (unsigned long long)type,
                         FSIM_WASM_TYPE_END - 1);
    }
    if (count != value_counts[type] || FSIM_WASM_HEADER + 8u * count > length) {
        return fsim_fail(err, FSIM_EDATA, "a frame of type %llu with %llu values, expected %u",
                         (unsigned long long)type, (unsigned long long)count, value_counts[type]);
    }
    size_t text = (size_t)length - FSIM_WASM_HEADER - 8u * (size_t)count;
    if (text > FSIM_WASM_TEXT_MAX) {
        return fsim_fail(err, FSIM_EDATA, "a text of %zu bytes, expected at most %u", text,
                         FSIM_WASM_TEXT_MAX);
    }
    if (size < length) {
        return FSIM_OK;
    }
    const uint8_t *at = bytes + FSIM_WASM_HEADER;
    if (text > 0 && memchr(at + 8u * count, '\0', text) != NULL) {
        return fsim_fail(err, FSIM_EDATA, "a NUL in the text of a frame");
    }
    memset(out->value, 0, sizeof out->value);
    out->type = (fsim_wasm_type)type;
    out->id = (uint32_t)get(bytes + 8, 4);
    out->call = (uint32_t)get(bytes + 12, 4);
    for (uint64_t i = 0; i < count; i++) {
        out->value[i] = get(at + 8u * i, 8);
    }
    memcpy(out->text, at + 8u * count, text);
    out->text[text] = '\0';
    *used = (size_t)length;
    return FSIM_OK;
}
