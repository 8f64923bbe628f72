/* Any text as a scenario: it is refused with a place and a message, or it becomes a scenario; never a crash.
 */
#include "io/json_reader.h"
#include "io/scenario_load.h"
#include "support/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_assert(pool != NULL);

    fsim_error err = {0};
    fsim_value *root = NULL;
    fsim_status status = fsim_json_read_text(pool, text, "fuzz.json", &root, &err);
    if (status == FSIM_OK) {
        fsim_scenario *scenario = NULL;
        const fsim_load_options options = {0};
        status = fsim_scenario_from_tree(&scenario, pool, root, ".", &options, &err); /* owns the pool now */
        fsim_assert((status == FSIM_OK) == (scenario != NULL));
        fsim_scenario_destroy(scenario);
    } else {
        fsim_value_pool_destroy(pool);
    }
    fuzz_check_error(status, &err);
    free(text);
    return 0;
}
