/* Measured profiles (schema fsim.profile/1, what `fsim calibrate` writes) where a scenario takes a time or a
 * size:
 * {"profile": FILE} or the name of a shipped one, {"profile": FILE, "use": "fit"|"quantiles"}. Without "use"
 * the fitted law stands for the sample; where there is none, or where it is off by more than
 * FSIM_PROFILE_KS_MAX, its quantiles do. */
#include "io/embedded.h"
#include "io/file.h"
#include "io/json_reader.h"
#include "io/scenario_parts.h"

#include <math.h>
#include <string.h>

static const double bytes_per_mb = 1048576.0;

static fsim_status find_profile(const fsim_scenario *s, const fsim_value *name, fsim_value **out,
                                fsim_error *err) {
    char file[FSIM_PATH_MAX];
    if (name->kind != FSIM_VALUE_STRING) {
        return fsim_value_fail(name, err, "expected the name of a profile that \"fsim calibrate\" wrote");
    }
    for (const fsim_embedded *p = fsim_embedded_profiles; p->name != NULL; p++) {
        if (strcmp(p->name, name->string) == 0) {
            return fsim_json_read_text(s->pool, p->text, p->name, out, err);
        }
    }
    FSIM_TRY(fsim_file_resolve(s->base_dir, name->string, file, sizeof file, err));
    return fsim_json_read_file(s->pool, file, out, err);
}

static fsim_status read_profile(const fsim_scenario *s, const fsim_value *object, fsim_value **out,
                                fsim_error *err) {
    const fsim_value *name = fsim_value_get(object, "profile");
    FSIM_TRY(name == NULL ? fsim_value_missing(object, "profile", err) : find_profile(s, name, out, err));
    const fsim_value *schema = fsim_value_get(*out, "schema");
    if (schema == NULL || schema->kind != FSIM_VALUE_STRING ||
        strcmp(schema->string, FSIM_PROFILE_SCHEMA) != 0) {
        return fsim_value_fail(schema != NULL ? schema : *out, err, "expected schema \"%s\"",
                               FSIM_PROFILE_SCHEMA);
    }
    return FSIM_OK;
}

/* The object `part`.`what` of the profile, e.g. fit.service; NULL: it is not there or null. */
static const fsim_value *part_of(const fsim_value *profile, const char *part, const char *what) {
    const fsim_value *value = fsim_value_get(fsim_value_get(profile, part), what);
    return value == NULL || value->kind != FSIM_VALUE_OBJECT ? NULL : value;
}

fsim_status fsim_scenario_read_measured(fsim_scenario *s, const fsim_value *object, const char *what,
                                        fsim_dist *out, fsim_error *err) {
    static const char *const uses[] = {"fit", "quantiles", NULL};
    fsim_value *profile = NULL, *dist = NULL;
    int use = 0;
    FSIM_TRY(fsim_value_get_enum(object, "use", uses, &use, err));
    FSIM_TRY(read_profile(s, object, &profile, err));
    const fsim_value *fit = part_of(profile, "fit", what), *quantiles = part_of(profile, "quantiles", what);
    fsim_value *name = fsim_value_get(fit, "dist"), *parameters = fsim_value_get(fit, "parameters");
    fsim_value *values = fsim_value_get(quantiles, "values");
    bool has_fit = name != NULL && parameters != NULL && parameters->kind == FSIM_VALUE_OBJECT;
    double ks = 0;
    FSIM_TRY(has_fit ? fsim_value_get_real(fit, "ks", 0, 1, &ks, err) : FSIM_OK);
    bool asked = fsim_value_peek(object, "use") != NULL;
    if (has_fit && use == 0 &&
        (asked || ks <= FSIM_PROFILE_KS_MAX ||
         values ==
             NULL)) { /* {"dist", "parameters": {...}}: the parameters become keys of the distribution */
        dist = fsim_value_copy(s->pool, parameters);
        fsim_value_put(s->pool, dist, "dist", fsim_value_copy(s->pool, name));
    } else if (values != NULL && (use == 1 || !asked)) {
        dist = fsim_value_copy(s->pool, quantiles);
        fsim_value_put(s->pool, dist, "dist", fsim_value_new_string(s->pool, "empirical", profile->origin));
    } else {
        const char *missing = use == 1 ? "quantiles" : asked ? "fit" : "fit or quantiles";
        return fsim_value_fail(
            profile, err,
            "the profile has no %s of %s: expected fit.%s {dist, parameters} or quantiles.%s {values}",
            missing, what, what, what);
    }
    return fsim_dist_read(out, s->pool, dist, s->base_dir, true, err);
}

fsim_status fsim_scenario_read_measured_memory(fsim_scenario *s, const fsim_value *object, int64_t *memory_mb,
                                               fsim_error *err) {
    fsim_value *profile = NULL;
    double bytes = 0;
    FSIM_TRY(read_profile(s, object, &profile, err));
    const fsim_value *rows = fsim_value_get(profile, "memory");
    const fsim_value *last = rows != NULL && rows->kind == FSIM_VALUE_ARRAY ? rows->first : NULL;
    while (last != NULL && last->next != NULL) { /* with the most instances */
        last = last->next;
    }
    if (last == NULL || last->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(profile, err,
                               "the profile has no memory: expected memory [{instances, bytes_each}]");
    }
    FSIM_TRY(fsim_value_get_real(last, "bytes_each", 1, 1e15, &bytes, err));
    *memory_mb = (int64_t)ceil(bytes / bytes_per_mb);
    return FSIM_OK;
}
