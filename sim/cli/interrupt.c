#include "cli/interrupt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The one mutable global of the program: a signal handler has no other way to say that it ran. */
static volatile sig_atomic_t seen_signal;

static void note(int number) {
    seen_signal = number;
}

void fsim_interrupt_watch(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = (int)SA_RESETHAND; /* no SA_RESTART: a read that waits for input must end */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool fsim_interrupt_seen(void) {
    return seen_signal != 0;
}

void fsim_interrupt_obey(void) {
    if (seen_signal != 0) {
        fputs("fsim: interrupted; nothing was written\n", stderr);
        signal(seen_signal, SIG_DFL);
        raise(seen_signal);
    }
}
