/* Any two lines as the path and the text of --set, upon a small tree. */
#include "io/json_reader.h"
#include "support/fuzz_input.h"

static const char tree[] = "{\"functions\": [{\"name\": \"fn\", \"memory_mb\": 128}],"
                           " \"policy\": {\"bundle\": \"lambda\"}, \"seed\": 1}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = fuzz_text(data, size);
    char *text = strchr(path, '\n');
    if (text != NULL) {
        *text++ = '\0';
        fsim_value_pool *pool = fsim_value_pool_create();
        fsim_assert(pool != NULL);
        fsim_error err = {0};
        fsim_value *root = NULL;
        fsim_status status = fsim_json_read_text(pool, tree, "tree.json", &root, &err);
        fsim_assert(status == FSIM_OK);
        status = fsim_value_set(pool, root, path, text, "--set", &err);
        fuzz_check_error(status, &err);
        fsim_value_pool_destroy(pool);
    }
    free(path);
    return 0;
}
