/* The small readers of price books; see book_read.h. */
#include "billing/book_read.h"

#include <string.h>

void fsim_book_skip_notes(const fsim_value *object, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        fsim_value *note = fsim_value_get(object, *keys);
        if (note != NULL) {
            fsim_value_mark_used(note);
        }
    }
}

fsim_status fsim_book_get_pico(const fsim_value *object, const char *key, fsim_i128 *out, bool *found,
                               fsim_error *err) {
    const fsim_value *value = fsim_value_get(object, key);
    if (found != NULL) {
        *found = value != NULL;
    }
    if (value == NULL) {
        return FSIM_OK;
    }
    if (value->kind == FSIM_VALUE_INTEGER || value->kind == FSIM_VALUE_REAL) {
        return fsim_value_fail(
            value, err,
            "a number in a price book is a decimal string, such as \"0.0000166667\": a JSON number may have "
            "lost digits");
    }
    fsim_i128 pico;
    if (value->kind != FSIM_VALUE_STRING || !fsim_decimal_parse_pico(value->string, &pico) || pico < 0) {
        return fsim_value_fail(value, err, "expected a decimal string of at most 12 decimals, not negative");
    }
    *out = pico;
    return FSIM_OK;
}

fsim_status fsim_book_get_ratio(const fsim_value *object, const char *key, fsim_ratio *out, fsim_error *err) {
    fsim_i128 pico = 0;
    bool found = false;
    FSIM_TRY(fsim_book_get_pico(object, key, &pico, &found, err));
    if (found && !fsim_ratio_make(pico, FSIM_PICO, out)) {
        return fsim_value_fail(fsim_value_get(object, key), err, "too large");
    }
    return FSIM_OK;
}

fsim_status fsim_book_get_count(const fsim_value *object, const char *key, uint64_t min, uint64_t *out,
                                fsim_error *err) {
    int64_t number = (int64_t)*out;
    FSIM_TRY(fsim_value_get_i64(object, key, (int64_t)min, INT64_C(1) << 50, &number, err));
    *out = (uint64_t)number;
    return FSIM_OK;
}

fsim_status fsim_book_need_string(const fsim_value *object, const char *key, const char **out,
                                  fsim_error *err) {
    *out = NULL;
    FSIM_TRY(fsim_value_get_string(object, key, out, err));
    return *out == NULL || **out == '\0' ? fsim_value_missing(object, key, err) : FSIM_OK;
}

fsim_status fsim_book_need_array(const fsim_value *value, size_t max, fsim_error *err) {
    if (value->kind != FSIM_VALUE_ARRAY || value->count > max) {
        return fsim_value_fail(value, err, "expected an array of at most %zu", max);
    }
    return FSIM_OK;
}

bool fsim_book_word(const char *text, const char *word) {
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && (text[length] == '\0' || text[length] == ' ');
}
