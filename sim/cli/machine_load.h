/* How busy this machine is, from Linux's accounts in /proc: whether a measurement had it to itself. */
#ifndef FSIM_CLI_MACHINE_LOAD_H
#define FSIM_CLI_MACHINE_LOAD_H

#include <stdbool.h>

/* Processor seconds of all cores since the machine came up. */
typedef struct fsim_machine_load {
    double busy_s, stolen_s, total_s; /* stolen: the host of a virtual machine gave it to somebody else */
} fsim_machine_load;

/* False: not to be had here. */
bool fsim_machine_load_read(fsim_machine_load *out);

/* Processor seconds of a process without its children; 0: it is gone, or cannot be told. */
double fsim_machine_cpu_s(int pid);

#endif
