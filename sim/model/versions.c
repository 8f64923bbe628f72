/* Versions of functions; see api/function_table.h. */
#include "api/function_table.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t fsim_versions_pick(const fsim_versions_spec *versions, fsim_ns at_ns, double unit) {
    uint32_t low = 0, high = versions->segment_count; /* the segment is in [low, high) */
    while (high - low > 1u) {
        uint32_t middle = low + (high - low) / 2u;
        if (versions->from_ns[middle] <= at_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const double *up_to = &versions->up_to[(size_t)low * versions->count];
    double at = unit * up_to[versions->count - 1u];
    uint32_t v = 0;
    while (at >= up_to[v]) { /* at is below the last one: a version of weight 0 is never met */
        v++;
    }
    return v;
}

static fsim_status fail_version(const fsim_fn_spec *function, const char *name, size_t len, fsim_error *err) {
    const fsim_versions_spec *versions = function->versions;
    char said[128], known[256] = "";
    const char **names = malloc((versions->count + 1u) * sizeof *names);
    if (names == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    snprintf(said, sizeof said, "%.*s", (int)(len < 100u ? len : 100u), name);
    size_t n = 0;
    for (uint32_t v = 0; v < versions->count; v++) {
        names[v] = versions->names[v];
        if (n < sizeof known) {
            n += (size_t)snprintf(known + n, sizeof known - n, "%s%.100s", v == 0 ? "" : ", ", names[v]);
        }
    }
    names[versions->count] = NULL;
    const char *near = fsim_text_nearest(said, names);
    fsim_status status =
        near != NULL
            ? fsim_fail(err, FSIM_EDATA,
                        "function \"%.100s\" has no version \"%s\"; did you mean \"%.100s\"?", function->name,
                        said, near)
            : fsim_fail(err, FSIM_EDATA, "function \"%.100s\" has no version \"%s\", expected one of %s",
                        function->name, said, known);
    free(names);
    return status;
}

fsim_status fsim_function_table_find_version(const fsim_function_table *table, fsim_fn_id fn,
                                             const char *name, size_t len, fsim_fn_id *id, fsim_error *err) {
    const fsim_fn_spec *spec = fsim_function_table_get(table, fn);
    *id = fn;
    if (len == 0 || (spec->versions == NULL && spec->version == NULL)) {
        return FSIM_OK;
    }
    fsim_fn_id function = spec->version != NULL ? spec->version_of : fn;
    const fsim_versions_spec *versions = fsim_function_table_get(table, function)->versions;
    uint32_t v = 0;
    while (v < versions->count &&
           (strlen(versions->names[v]) != len || memcmp(versions->names[v], name, len) != 0)) {
        v++;
    }
    if (v == versions->count) {
        return fail_version(fsim_function_table_get(table, function), name, len, err);
    }
    fsim_fn_id found = function + 1u + v;
    if (spec->version != NULL && found != fn) {
        return fsim_fail(err, FSIM_EDATA, "\"%.100s\" is called as version \"%.100s\"", spec->name,
                         versions->names[v]);
    }
    *id = found;
    return FSIM_OK;
}
