#include "cli/progress.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const double first_after_s = 1.0, redraw_every_s = 0.2;
enum { BAR_WIDTH = 30, COLUMNS_DEFAULT = 80 };

static double read_clock_s(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double fsim_progress_clock_s(void) {
    return read_clock_s(CLOCK_MONOTONIC);
}

double fsim_progress_cpu_s(void) {
    return read_clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

double fsim_progress_peak_rss_mb(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

bool fsim_progress_begin(fsim_progress *progress, uint32_t count, bool quiet) {
    *progress = (fsim_progress){.count = count, .on = !quiet && isatty(STDERR_FILENO)};
    progress->runs = calloc(count, sizeof *progress->runs);
    progress->started_s = fsim_progress_clock_s();
    return pthread_mutex_init(&progress->lock, NULL) == 0 && progress->runs != NULL;
}

/* The line for a terminal of so many columns: the bar goes first, then the end, for what is longer than a
 * line would stay behind when the next one is drawn. */
static void print_line(const fsim_progress *progress, double elapsed_s, int columns, char *line,
                       size_t size) {
    double share = 0;
    uint64_t arrived = 0;
    bool known = true;
    for (uint32_t i = 0; i < progress->count; i++) {
        known = known && progress->runs[i].share >= 0;
        share += progress->runs[i].share / (double)progress->count;
        arrived += progress->runs[i].arrived;
    }
    char requests[32], left[48] = "?", bar[BAR_WIDTH + 8] = "";
    fsim_text_grouped((int64_t)arrived, requests, sizeof requests);
    int filled = (int)(share * BAR_WIDTH), len;
    if (known) {
        if (share > 0.001) {
            fsim_text_human_span(elapsed_s * (1 - share) / share, left, sizeof left);
        }
        snprintf(bar, sizeof bar, "[%.*s%*s] ", filled, "##############################", BAR_WIDTH - filled,
                 "");
        len =
            snprintf(line, size, "fsim: %s%3.0f %%, %s requests, %s left", bar, share * 100, requests, left);
        if (len >= columns) {
            snprintf(line, size, "fsim: %.0f %%, %s left, %s requests", share * 100, left, requests);
        }
    } else {
        fsim_text_human_span(fsim_ns_to_s(progress->runs[0].now_ns), left, sizeof left);
        snprintf(line, size, "fsim: %s requests, %s simulated", requests, left);
    }
    if (columns > 0 && (size_t)columns <= size) {
        line[columns - 1] = '\0';
    }
}

static void draw(const fsim_progress *progress, double elapsed_s) {
    struct winsize terminal = {0};
    bool told = ioctl(STDERR_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col > 0;
    char line[256];
    print_line(progress, elapsed_s, told ? terminal.ws_col : COLUMNS_DEFAULT, line, sizeof line);
    fprintf(stderr, "\r\033[K%s", line);
}

void fsim_progress_update(fsim_progress *progress, uint32_t run, fsim_progress_run state) {
    if (!progress->on || pthread_mutex_trylock(&progress->lock) != 0) {
        return; /* another thread draws: the next report will do */
    }
    progress->runs[run] = state;
    double now_s = fsim_progress_clock_s();
    if (now_s - progress->started_s >= first_after_s && now_s - progress->drawn_s >= redraw_every_s) {
        draw(progress, now_s - progress->started_s);
        progress->drawn_s = now_s;
        progress->drawn = true;
    }
    pthread_mutex_unlock(&progress->lock);
}

void fsim_progress_end(fsim_progress *progress) {
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
    }
    pthread_mutex_destroy(&progress->lock);
    free(progress->runs);
    progress->runs = NULL;
}
