/* Any text as a price book. */
#include "billing/price_book.h"
#include "io/json_reader.h"
#include "support/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_assert(pool != NULL);

    fsim_error err = {0};
    fsim_value *root = NULL;
    fsim_price_book *book = NULL;
    fsim_status status = fsim_json_read_text(pool, text, "fuzz.json", &root, &err);
    if (status == FSIM_OK) {
        status = fsim_price_book_load(&book, root, &err);
    }
    fuzz_check_error(status, &err);
    fsim_price_book_destroy(book);
    fsim_value_pool_destroy(pool);
    free(text);
    return 0;
}
