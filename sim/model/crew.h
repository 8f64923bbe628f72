/* Threads that do one round of jobs after the other, for rounds too short to make threads for: a millisecond
 * and less. Between rounds they look for the next one for some microseconds, and then sleep. A thread that
 * comes late misses nothing: jobs are taken one by one, and whoever is there does them. */
#ifndef FSIM_MODEL_CREW_H
#define FSIM_MODEL_CREW_H

#include <stdint.h>

enum { CREW_JOBS_MAX = (1 << 16) - 1 }; /* of one round */

typedef struct crew crew;

/* Up to `threads` threads, of which the caller is one; 0: as many as cores. Never fails: where no thread can
 * be had, crew_do does everything itself, and NULL is such a crew. */
crew *crew_create(uint32_t threads);
void crew_destroy(crew *c); /* NULL allowed */

/* job(user, i) once for each i in [0, count), beginning with the lowest, on any thread; it must touch only
 * what belongs to i. Returns when all are done. Only from the thread that made the crew. */
void crew_do(crew *c, uint32_t count, void (*job)(void *user, uint32_t i), void *user);

#endif
