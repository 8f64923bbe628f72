/* Session affinity of a function; see scenario_parts.h. */
#include "io/scenario_parts.h"

#define COUNT_MAX ((int64_t)FSIM_UNLIMITED - 1)

/* The settings that Function Compute documents: 1,800 s, 21,600 s
 * (www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-cookiesessionaffinityconfig).
 */
#define IDLE_DEFAULT     (1800 * FSIM_SECOND)
#define LIFETIME_DEFAULT (21600 * FSIM_SECOND)

fsim_status fsim_scenario_read_session(fsim_scenario *s, const fsim_value *entry, fsim_fn_spec *spec,
                                       fsim_error *err) {
    static const char *const full[] = {"wait", "refuse", "elsewhere", NULL};
    const fsim_value *value = fsim_value_get(entry, "session");
    spec->session = NULL;
    if (value == NULL || fsim_value_is_off(value)) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_scenario_need_object(value, "session", err));
    fsim_session_spec *session = fsim_value_pool_alloc(s->pool, sizeof *session);
    if (session == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    *session = (fsim_session_spec){.idle_ns = IDLE_DEFAULT, .life_ns = LIFETIME_DEFAULT, .hold = true};
    int64_t per_instance = FSIM_UNLIMITED;
    int when_full = FSIM_SESSION_WAIT;
    FSIM_TRY(fsim_value_get_span(value, "idle_timeout", true, &session->idle_ns, err));
    FSIM_TRY(fsim_value_get_span(value, "lifetime", true, &session->life_ns, err));
    FSIM_TRY(fsim_scenario_get_limit(value, "per_instance", COUNT_MAX, FSIM_UNLIMITED, &per_instance, err));
    FSIM_TRY(fsim_value_get_enum(value, "when_full", full, &when_full, err));
    FSIM_TRY(fsim_value_get_bool(value, "hold", &session->hold, err));
    if (session->life_ns == 0) {
        return fsim_value_fail(fsim_value_get(value, "lifetime"), err,
                               "a lifetime of 0 ends every session at once; null switches the limit off");
    }
    session->per_instance = (uint32_t)per_instance;
    session->when_full = (fsim_session_full)when_full;
    spec->session = session;
    return FSIM_OK;
}
