/* See cooldown.h. */
#include "autoscale/cooldown.h"

static bool runs(bool begun, fsim_ns since_ns, fsim_ns now_ns, fsim_ns span_ns) {
    return begun && now_ns < fsim_ns_add(since_ns, span_ns);
}

int64_t fsim_cooldown_added(const fsim_cooldown *c, fsim_ns now_ns, fsim_ns out_ns) {
    return runs(c->out, c->out_since_ns, now_ns, out_ns) ? c->added : 0;
}

bool fsim_cooldown_allows_in(const fsim_cooldown *c, fsim_ns now_ns, fsim_ns in_ns) {
    return !runs(c->in, c->in_since_ns, now_ns, in_ns);
}

int64_t fsim_cooldown_apply(fsim_cooldown *c, fsim_ns now_ns, fsim_ns out_ns, fsim_ns in_ns, int64_t capacity,
                            int64_t change) {
    if (change > 0) {
        int64_t added = fsim_cooldown_added(c, now_ns, out_ns);
        if (change <= added) {
            return capacity;
        }
        c->out = true;
        c->in = false;
        c->out_since_ns = now_ns;
        c->added = change;
        return capacity + change - added;
    }
    if (change < 0 && fsim_cooldown_allows_in(c, now_ns, in_ns)) {
        c->in = true;
        c->in_since_ns = now_ns;
        return capacity + change;
    }
    return capacity;
}
