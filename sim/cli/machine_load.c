#include "cli/machine_load.h"

#include <stdio.h>
#include <unistd.h>

bool fsim_machine_load_read(fsim_machine_load *out) {
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS }; /* as in proc(5) */
    unsigned long long ticks[FIELDS] = {0};
    double second = (double)sysconf(_SC_CLK_TCK);
    FILE *f = fopen("/proc/stat", "r");
    int n = f == NULL ? 0
                      : fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[USER], &ticks[NICE],
                               &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT], &ticks[IRQ], &ticks[SOFTIRQ],
                               &ticks[STEAL]);
    if (f != NULL) {
        fclose(f);
    }
    *out = (fsim_machine_load){.stolen_s = (double)ticks[STEAL] / second};
    for (int i = 0; i < FIELDS; i++) {
        bool idle = i == IDLE || i == IOWAIT;
        out->busy_s += idle || i == STEAL ? 0 : (double)ticks[i] / second;
        out->total_s += (double)ticks[i] / second;
    }
    return n == FIELDS;
}

double fsim_machine_cpu_s(int pid) {
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        if (fscanf(f, "%llu", &ns) != 1) {
            ns = 0;
        }
        fclose(f);
    }
    return (double)ns / 1e9;
}
