#include "cli/live_stalls.h"

#include "base/limits.h"
#include "io/file.h"

#include <inttypes.h>
#include <stdlib.h>

bool fsim_live_stalls_take(fsim_live_stalls *out, const fsim_stall_watch *watch, fsim_ns began_ns,
                           fsim_ns ended_ns, double speed_up, uint32_t cores) {
    fsim_ns sum_ns = 0;
    *out = (fsim_live_stalls){.known = watch->all_noted && watch->count <= FSIM_INTERRUPTIONS_MAX,
                              .list = malloc((watch->count + 1u) * sizeof *out->list)};
    for (size_t i = 0; out->list != NULL && out->known && i < watch->count; i++) {
        const fsim_stall *s = &watch->stalls[i];
        fsim_ns from_ns = s->at_ns > began_ns ? s->at_ns : began_ns, to_ns = s->at_ns + s->for_ns;
        to_ns = to_ns < ended_ns ? to_ns : ended_ns;
        if (s->core >= cores || to_ns <= from_ns) {
            continue;
        }
        out->list[out->count++] =
            (fsim_interruption){.core = s->core,
                                .at_ns = (fsim_ns)((double)(from_ns - began_ns) * speed_up),
                                .for_ns = (fsim_ns)((double)(to_ns - from_ns) * speed_up)};
        out->longest_ns = to_ns - from_ns > out->longest_ns ? to_ns - from_ns : out->longest_ns;
        sum_ns += to_ns - from_ns;
    }
    double all_ns = (double)(ended_ns - began_ns) * cores;
    out->share = all_ns > 0 ? (double)sum_ns / all_ns : 0;
    return out->list != NULL;
}

fsim_status fsim_live_stalls_write(const fsim_live_stalls *stalls, const char *path, fsim_error *err) {
    fsim_file_draft draft = {.stream = NULL};
    FSIM_TRY(fsim_file_create(&draft, path, err));
    fputs("{\"list\": [", draft.stream);
    for (uint32_t i = 0; i < stalls->count; i++) {
        const fsim_interruption *s = &stalls->list[i];
        fprintf(draft.stream,
                "%s\n{\"core\": %" PRIu32 ", \"at\": \"%" PRId64 "ns\", \"for\": \"%" PRId64 "ns\"}",
                i == 0 ? "" : ",", s->core, s->at_ns, s->for_ns);
    }
    fputs("\n]}\n", draft.stream);
    return fsim_file_commit(&draft, err);
}

void fsim_live_stalls_destroy(fsim_live_stalls *stalls) {
    free(stalls->list);
    *stalls = (fsim_live_stalls){.known = false};
}
