/* What fuzz targets share. */
#ifndef FSIM_TESTS_FUZZ_INPUT_H
#define FSIM_TESTS_FUZZ_INPUT_H

#include "base/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a NUL-terminated text of its own; the caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    fsim_assert(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

/* A refusal carries its status and says something; success leaves the record empty. */
static inline void fuzz_check_error(fsim_status status, const fsim_error *err) {
    fsim_assert(status == err->status);
    fsim_assert(status == FSIM_OK || err->text[0] != '\0');
}

#endif
