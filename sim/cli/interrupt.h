/* Ctrl-C: the first asks the runs to stop at the next opportunity, so that temporary files go; the second
 * ends the process at once. */
#ifndef FSIM_CLI_INTERRUPT_H
#define FSIM_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT and SIGTERM are noted instead of killing. */
void fsim_interrupt_watch(void);
bool fsim_interrupt_seen(void);
/* Says so on stderr and ends the process by the noted signal, so that the caller (a shell, make) sees what
 * happened; returns if there was none. */
void fsim_interrupt_obey(void);

#endif
