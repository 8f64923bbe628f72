#include "cli/machine_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers after `label` in the first line of a file below /proc; how many there are, at most `capacity`. */
static int read_numbers(const char *path, const char *label, unsigned long long *numbers, int capacity) {
    char line[512] = "";
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        line[fread(line, 1, sizeof line - 1u, f)] = '\0';
        fclose(f);
    }
    if (strncmp(line, label, strlen(label)) != 0) {
        return 0;
    }
    int count = 0;
    for (char *at = line + strlen(label), *end; count < capacity; at = end, count++) {
        numbers[count] = strtoull(at, &end, 10);
        if (end == at) {
            break;
        }
    }
    return count;
}

bool fsim_machine_load_read(fsim_machine_load *out) {
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS }; /* as in proc(5) */
    unsigned long long ticks[FIELDS] = {0};
    double second = (double)sysconf(_SC_CLK_TCK);
    int count = read_numbers("/proc/stat", "cpu ", ticks, FIELDS);
    *out = (fsim_machine_load){.stolen_s = (double)ticks[STEAL] / second};
    for (int i = 0; i < FIELDS; i++) {
        bool idle = i == IDLE || i == IOWAIT;
        out->busy_s += idle || i == STEAL ? 0 : (double)ticks[i] / second;
        out->total_s += (double)ticks[i] / second;
    }
    return count == FIELDS;
}

double fsim_machine_cpu_s(int pid) {
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    return read_numbers(path, "", &ns, 1) == 1 ? (double)ns / 1e9 : 0;
}
