/* Scheduled capacity: at which times how many instances are asked for.
 *
 * As text, entries apart by ";":
 *
 *     100 at 08:00 mon-fri; 5 at 20:00 mon-fri      a clock time, on these days (none given: every day)
 *     100 at 0 8 * * mon-fri                        the same as five cron fields: minute hour * * weekday
 *     100 at 30m                                    once, so long after t = 0
 *     10..200 at 07:30; 1.. at 22:00; ..50 at 1h    bounds: a least and a most, or one of the two
 *
 * What an entry says holds until another one says something about the same bound; of two at one instant the
 * later in the text counts. Before the first of them a weekly entry of the week before holds, one of a span
 * does not.
 *
 * Times are of a time zone, a fixed distance from UTC (no daylight saving), and on whole minutes, as the
 * platforms' are. Simulated time has weekdays and no dates: day of month and month must be "*" or "?".
 *
 * Source: docs.aws.amazon.com, autoscaling/application/userguide, scheduled scaling ("specify a minimum
 * capacity, a maximum capacity, or both"; UTC by default); help.aliyun.com, Function Compute, scheduled
 * scaling (cron and time zone); policies spec, sections 4.2 and 5. Pure. */
#ifndef FSIM_AUTOSCALE_SCHEDULE_H
#define FSIM_AUTOSCALE_SCHEDULE_H

#include "base/error.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define FSIM_SCHEDULE_MAX 32u

/* What an entry says nothing about. */
#define FSIM_SCHEDULE_OPEN INT64_C(-1)

typedef struct fsim_schedule_entry {
    int64_t least, most; /* FSIM_SCHEDULE_OPEN: not said; equal: this number */
    bool once;
    fsim_ns at_ns;    /* once: after t = 0 */
    uint64_t minutes; /* else bit m: minute m of the hour */
    uint32_t hours;   /* bit h: hour h of the day */
    uint8_t days;     /* bit d: d days after Monday */
} fsim_schedule_entry;

typedef struct fsim_schedule {
    uint32_t count; /* 0: nothing is scheduled */
    fsim_schedule_entry entry[FSIM_SCHEDULE_MAX];
    int64_t begins_min; /* what the zone's clock shows at t = 0: minutes since Monday 00:00 */
} fsim_schedule;

/* `text`: entries, "" for none. `clock`: weekday and time in UTC at t = 0, such as "mon 00:00". `timezone`:
 * "UTC" or a distance from it such as "+08:00". FSIM_ECONFIG (text only) for what cannot be read, more than
 * FSIM_SCHEDULE_MAX entries, a least above the most, times beside the minute. */
fsim_status fsim_schedule_parse(fsim_schedule *schedule, const char *text, const char *clock,
                                const char *timezone, fsim_error *err);

/* The bounds in force at now_ns >= 0; where no entry has said anything, *least and *most stay. O(entries). */
void fsim_schedule_at(const fsim_schedule *schedule, fsim_ns now_ns, int64_t *least, int64_t *most);

#endif
