/* Any bytes as a native CSV trace, of requests or of rates: refused with a place and a message, or a stream
 * of arrivals that keeps its promises. */
#include "support/fuzz_files.h"
#include "support/fuzz_input.h"

#include <stdbool.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* A rate trace can promise any number of requests in a few bytes, and uniform placement draws all gaps of
     * a bucket before the first. */
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    bool rates = end != NULL && memmem(data, (size_t)(end - data), "time_s", 6) != NULL;
    fuzz_source("csv", rates ? "stratified" : NULL, data, size, 5000);
    return 0;
}
