/* Small runs of a platform's bundle on arrivals written out, for tests of what each platform does. A run is
 * of one function `fn`; settings laid over it are collected by set() and hold for the next run only. */
#ifndef FSIM_TESTS_PLATFORM_RUN_H
#define FSIM_TESTS_PLATFORM_RUN_H

#include "oracle/random_scenario.h"
#include "support/check.h"

#include <stdlib.h>

#define PLATFORM_SETTINGS_MAX 16

static struct {
    char text[PLATFORM_SETTINGS_MAX][2][128];
    fsim_setting list[PLATFORM_SETTINGS_MAX];
    size_t count;
} platform_settings;

/* A --set for the next run. */
CHECK_MAYBE_UNUSED static void set(const char *path, const char *value) {
    size_t n = platform_settings.count;
    REQUIRE(n < PLATFORM_SETTINGS_MAX);
    snprintf(platform_settings.text[n][0], 128, "%s", path);
    snprintf(platform_settings.text[n][1], 128, "%s", value);
    platform_settings.list[n] =
        (fsim_setting){platform_settings.text[n][0], platform_settings.text[n][1], "test"};
    platform_settings.count++;
}

/* `function`: further members of the function's object, which begins with its name; `workload`: an object.
 * Windows are of a second. Every request is accounted for. */
CHECK_MAYBE_UNUSED static fsim_result *platform_run(const char *bundle, const char *function,
                                                    const char *workload, const char *until) {
    char *text;
    fsim_error err = {0};
    REQUIRE(asprintf(&text,
                     "{\"schema\": \"fsim.scenario/1\", \"name\": \"t\", \"billing\": [], \"workload\": %s, "
                     "\"functions\": [{\"name\": \"fn\", %s}], \"policy\": {\"bundle\": \"%s\"}, "
                     "\"run\": {\"until\": \"%s\", \"windows\": {\"every\": \"1s\"}}}",
                     workload, function, bundle, until) > 0);
    fsim_load_options load = {.settings = platform_settings.list, .setting_count = platform_settings.count};
    fsim_result *result = engine_run_with(text, &(fsim_run_options){.seed = 1}, &load, &err);
    if (result == NULL) {
        printf("%s: %s\n", err.place, err.text);
        REQUIRE(false);
    }
    const fsim_counts *n = &result->total.n;
    CHECK_EQ_INT(n->arrived, n->completed + n->rejected_429 + n->rejected_503 + n->timed_out + n->failed +
                                 n->in_system_at_end);
    free(text);
    platform_settings.count = 0;
    return result;
}

/* Instances that are there, starting ones included, at the end of a second. */
CHECK_MAYBE_UNUSED static uint64_t at_s(const fsim_result *r, uint32_t second) {
    REQUIRE(second < r->window_count);
    return r->windows[second].all.instances_end;
}

#endif
