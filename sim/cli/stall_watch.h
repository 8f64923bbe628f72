/* Cores of this machine that stand still: its host gives them to somebody else, or something more urgent than
 * fsim has them. One thread a core sleeps in steps and notes when it wakes up late. It takes the next higher
 * real-time priority where the process has one, so that its own work does not delay it; without one, what
 * keeps the core from fsim for longer than a turn of the scheduler counts as well.
 *
 * Where wished, another thread a core, of idle priority, never sleeps: the host of a virtual machine takes
 * away first the cores that sleep, and to have one woken up takes longer than the way of a call. */
#ifndef FSIM_CLI_STALL_WATCH_H
#define FSIM_CLI_STALL_WATCH_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSIM_STALL_STEP_NS  FSIM_MS       /* a wake-up costs some 30 us of a virtual machine's core */
#define FSIM_STALL_LEAST_NS (FSIM_MS / 4) /* a wake-up that is less late is none */

/* On the machine's monotonic clock. When it began is known to a step, at_ns is the middle; one that is
 * shorter than a step may have been missed. */
typedef struct fsim_stall {
    uint32_t core; /* counted from 0 among those that the process may use */
    fsim_ns at_ns, for_ns;
} fsim_stall;

typedef struct fsim_stall_watch {
    struct fsim_stall_watcher *watchers;
    uint32_t cores;
    bool all_noted;     /* once it has ended: every core was watched, and there was memory */
    fsim_stall *stalls; /* once it has ended: in order of at_ns */
    size_t count;
} fsim_stall_watch;

/* False: out of memory; then nothing needs an end. */
bool fsim_stall_watch_begin(fsim_stall_watch *watch, bool keep_awake);
void fsim_stall_watch_end(fsim_stall_watch *watch); /* once, before the stalls are read */
/* How long cores were still between two instants, all of them together. */
fsim_ns fsim_stall_watch_sum_ns(const fsim_stall_watch *watch, fsim_ns from_ns, fsim_ns to_ns);
void fsim_stall_watch_destroy(fsim_stall_watch *watch); /* ends it too; harmless on a zeroed one */

#endif
