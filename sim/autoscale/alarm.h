/* A metric alarm: it is on while the last so many points in a row were beyond a threshold. A point without
 * data begins the count again (policies spec, sections 4.2 and 7: CloudWatch; without data there is no
 * scale-in). */
#ifndef FSIM_AUTOSCALE_ALARM_H
#define FSIM_AUTOSCALE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

/* Begin with {0}. */
typedef struct fsim_alarm {
    uint32_t breaches; /* in a row */
} fsim_alarm;

/* One more point; true: the alarm is on after it. `points` >= 1 in a row switch it on. O(1). */
static inline bool fsim_alarm_feed(fsim_alarm *alarm, bool breaching, uint32_t points) {
    if (!breaching) {
        alarm->breaches = 0;
        return false;
    }
    alarm->breaches += alarm->breaches < points ? 1u : 0u;
    return alarm->breaches >= points;
}

#endif
