#include "autoscale/pod_choice.h"

#include "base/error.h"

#include <stdbool.h>

#define FIRST_AVAILABLE_UP_TO 3 /* container concurrency */

fsim_pod_policy fsim_pod_policy_for(int64_t container_concurrency) {
    if (container_concurrency == 0) {
        return FSIM_POD_RANDOM_CHOICE_2;
    }
    return container_concurrency <= FIRST_AVAILABLE_UP_TO ? FSIM_POD_FIRST_AVAILABLE : FSIM_POD_ROUND_ROBIN;
}

static int64_t choose_random_2(const int64_t *in_flight, int64_t pods, fsim_rng *rng) {
    if (pods < 2) {
        return pods - 1;
    }
    int64_t a = 0, b = 1;
    if (pods > 2) {
        a = fsim_rng_below(rng, (uint32_t)pods);
        b = fsim_rng_below(rng, (uint32_t)(pods - 1));
        b += b >= a; /* of the others */
    }
    if (in_flight[a] == in_flight[b]) {
        return fsim_rng_below(rng, 2) == 0 ? a : b;
    }
    return in_flight[a] < in_flight[b] ? a : b;
}

int64_t fsim_pod_choose(fsim_pod_chooser *chooser, const int64_t *in_flight, int64_t pods, fsim_rng *rng) {
    if (chooser->policy == FSIM_POD_RANDOM_CHOICE_2) {
        return choose_random_2(in_flight, pods, rng);
    }
    bool rotating = chooser->policy == FSIM_POD_ROUND_ROBIN;
    int64_t from = rotating && chooser->next < pods ? chooser->next : 0;
    for (int64_t k = 0; k < pods; k++) {
        int64_t pod = from + k < pods ? from + k : from + k - pods;
        if (chooser->container_concurrency == 0 || in_flight[pod] < chooser->container_concurrency) {
            chooser->next = pod + 1;
            return pod;
        }
    }
    return FSIM_POD_NONE;
}

fsim_pod_slice fsim_pod_slice_of(int64_t pods, int64_t activators, int64_t index) {
    fsim_assert(pods >= 1 && index >= 0 && index < activators);
    if (activators >= pods) {
        int64_t pod = index % pods;
        return (fsim_pod_slice){.begin = pod, .end = pod + 1};
    }
    int64_t size = pods / activators;
    return (fsim_pod_slice){.begin = index * size, .end = (index + 1) * size, .remnants = pods % activators};
}

fsim_pod_assignment fsim_pod_slice_assign(int64_t pods, int64_t activators, int64_t index) {
    if (index < 0 || activators <= 1 || pods <= 1) {
        return (fsim_pod_assignment){.end = pods, .extra = FSIM_POD_NONE, .count = pods};
    }
    fsim_pod_slice slice = fsim_pod_slice_of(pods, activators, index);
    fsim_pod_assignment mine = {
        .begin = slice.begin, .end = slice.end, .extra = FSIM_POD_NONE, .count = slice.end - slice.begin};
    if (index < slice.remnants) {
        mine.extra = pods - slice.remnants + index;
        mine.count++;
    }
    return mine;
}

int64_t fsim_activator_capacity(int64_t container_concurrency, int64_t backends, int64_t activators,
                                int64_t assigned) {
    if (container_concurrency == 0) {
        return assigned > 0 || backends > 0;
    }
    if (assigned > 0) {
        return container_concurrency * assigned;
    }
    if (backends <= 0) {
        return 0;
    }
    int64_t share = container_concurrency * backends / (activators > 1 ? activators : 1);
    return share > 1 ? share : 1;
}
