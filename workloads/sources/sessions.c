/* Sessions: users who come independently and each send several requests, with pauses, under one id. A session
 * may hold a connection open as long as it lasts (WebSocket, server-sent events): a request of its own,
 * beside which the others come.
 *
 * The pauses are between arrivals: the source is a stream and does not know when an answer comes (`closed`
 * does). Sessions under way are a heap by the instant of their next request. */
#include "workloads/sources/arrival_support.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define NO_BOUND UINT64_MAX

typedef struct session {
    fsim_ns next_ns, end_ns; /* end: of the session; FSIM_NEVER */
    uint64_t id, left;       /* left: requests still to come; NO_BOUND */
} session;

typedef struct sessions_source {
    double mean_gap_ns;
    bool has_size, has_length, has_connection;
    fsim_dist size, length, think;
    double connection_cpu; /* cores */
    fsim_fn_id fn;
    uint64_t begun, id_base;
    session coming; /* the next one to begin, with its first request */
    session *heap;
    uint32_t count, capacity;
    fsim_rng arrivals, pauses;
} sessions_source;

static fsim_status read_connection(sessions_source *s, const fsim_value *config, fsim_error *err) {
    const fsim_value *connection = fsim_value_get(config, "connection");
    if (connection == NULL || fsim_value_is_off(connection)) {
        return FSIM_OK;
    }
    if (connection->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_fail(connection, err, "expected an object {cpu} or null");
    }
    if (!s->has_length) {
        return fsim_value_fail(connection, err,
                               "a connection lasts as long as its session, which needs a \"length\"");
    }
    s->has_connection = true;
    return fsim_value_get_real(connection, "cpu", 0, 1e6, &s->connection_cpu, err);
}

static fsim_status read_bounds(sessions_source *s, const fsim_source_context *context,
                               const fsim_value *config, fsim_error *err) {
    const fsim_value *size = fsim_value_get(config, "size"), *length = fsim_value_get(config, "length");
    s->has_size = size != NULL && !fsim_value_is_off(size);
    s->has_length = length != NULL && !fsim_value_is_off(length);
    if (!s->has_size && !s->has_length) {
        return fsim_value_fail(
            config, err, "expected \"size\", the requests of a session, or \"length\", how long it lasts");
    }
    if (s->has_size) {
        FSIM_TRY(fsim_dist_read_count(&s->size, context->pool, size, err));
    }
    if (s->has_length) {
        FSIM_TRY(fsim_dist_read(&s->length, context->pool, length, context->base_dir, true, err));
    }
    FSIM_TRY(fsim_source_read_dist(config, "think", context, &s->think, err));
    if (!s->has_size && fsim_dist_mean_ns(&s->think) < 1.0) {
        return fsim_value_fail(
            fsim_value_get(config, "think"), err,
            "without pauses and without a \"size\" a session would never get past an instant");
    }
    return FSIM_OK;
}

/* The next user: when the session begins, and how much there is to it. */
static void draw_session(sessions_source *s) {
    fsim_ns gap_ns = fsim_ns_from_s(s->mean_gap_ns * 1e-9 * fsim_rng_exponential(&s->arrivals));
    session *next = &s->coming;
    next->next_ns = fsim_ns_add(next->next_ns, gap_ns);
    next->id = s->id_base ^ (++s->begun * UINT64_C(0x9e3779b97f4a7c15));
    next->id += next->id == 0; /* 0 means none */
    next->left = s->has_size ? fsim_dist_sample_count(&s->size, &s->pauses) : NO_BOUND;
    next->left = next->left == 0 && !s->has_connection ? 1 : next->left;
    next->end_ns =
        s->has_length ? fsim_ns_add(next->next_ns, fsim_dist_sample(&s->length, &s->pauses)) : FSIM_NEVER;
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    sessions_source *s = state;
    double rate = 0;
    FSIM_TRY(fsim_source_read_rate(config, "rate", false, &rate, err));
    FSIM_TRY(read_bounds(s, context, config, err));
    FSIM_TRY(read_connection(s, config, err));
    s->mean_gap_ns = 1e9 / rate;
    s->fn = context->default_fn;
    s->id_base = fsim_hash_bytes(FSIM_HASH_START, context->path, strlen(context->path));
    fsim_rng_seed(&s->arrivals, context->seed, context->path, FSIM_RNG_ARRIVALS);
    fsim_rng_seed(&s->pauses, context->seed, context->path, FSIM_RNG_THINK);
    draw_session(s);
    return FSIM_OK;
}

static void close_sessions(void *state) {
    sessions_source *s = state;
    free(s->heap);
}

/* ---- the heap; ties by the order in which the sessions began would need an own key: the id does ---- */

static bool earlier(const session *a, const session *b) {
    return a->next_ns < b->next_ns || (a->next_ns == b->next_ns && a->id < b->id);
}

static void sift_down(sessions_source *s, uint32_t at) {
    session item = s->heap[at];
    for (uint32_t child = 2u * at + 1u; child < s->count; child = 2u * at + 1u) {
        child += child + 1u < s->count && earlier(&s->heap[child + 1u], &s->heap[child]) ? 1u : 0u;
        if (!earlier(&s->heap[child], &item)) {
            break;
        }
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = item;
}

static fsim_status push(sessions_source *s, const session *item, fsim_error *err) {
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 64u : s->capacity * 2u;
        session *heap = realloc(s->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return fsim_fail(err, FSIM_ELIMIT, "out of memory: %u sessions at once", s->count);
        }
        s->heap = heap;
        s->capacity = capacity;
    }
    uint32_t at = s->count++;
    for (; at > 0 && earlier(item, &s->heap[(at - 1u) / 2u]); at = (at - 1u) / 2u) {
        s->heap[at] = s->heap[(at - 1u) / 2u];
    }
    s->heap[at] = *item;
    return FSIM_OK;
}

/* Is there another request in it, and when? */
static bool go_on(sessions_source *s, session *item) {
    if (item->left == 0) {
        return false;
    }
    item->next_ns = fsim_ns_add(item->next_ns, fsim_dist_sample(&s->think, &s->pauses));
    return item->next_ns < item->end_ns && item->next_ns < FSIM_NEVER;
}

static void emit(const sessions_source *s, fsim_arrivals *batch, const session *item, bool connection) {
    uint32_t i = batch->count++;
    batch->at_ns[i] = item->next_ns;
    batch->fn[i] = s->fn;
    batch->session[i] = item->id;
    batch->service_ns[i] = connection ? item->end_ns - item->next_ns : FSIM_DRAW;
    batch->cpu_ns[i] =
        connection ? (fsim_ns)((double)batch->service_ns[i] * s->connection_cpu + 0.5) : FSIM_DRAW;
}

static fsim_status begin_session(sessions_source *s, fsim_arrivals *batch, fsim_error *err) {
    session item = s->coming;
    draw_session(s);
    emit(s, batch, &item, s->has_connection);
    item.left -= !s->has_connection && item.left != NO_BOUND;
    return go_on(s, &item) ? push(s, &item, err) : FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    sessions_source *s = state;
    batch->count = 0;
    batch->has_session = true;
    batch->has_cpu = s->has_connection;
    while (batch->count < FSIM_BATCH) {
        if (s->count == 0 || s->coming.next_ns < s->heap[0].next_ns) {
            if (s->coming.next_ns == FSIM_NEVER) {
                return FSIM_OK;
            }
            FSIM_TRY(begin_session(s, batch, err));
            continue;
        }
        emit(s, batch, &s->heap[0], false);
        s->heap[0].left -= s->heap[0].left != NO_BOUND;
        if (!go_on(s, &s->heap[0])) {
            s->heap[0] = s->heap[--s->count];
        }
        if (s->count > 0) {
            sift_down(s, 0);
        }
    }
    return FSIM_OK;
}

const fsim_source_ops fsim_source_sessions = {
    .name = "sessions",
    .summary =
        "users come independently, each with several requests under one session id, pauses between them",
    .example =
        "{\"source\": \"sessions\", \"rate\": 0.5, \"size\": 8, \"think\": {\"dist\": \"exponential\", "
        "\"mean\": \"20s\"}, \"requests\": 10000}",
    .state_size = sizeof(sessions_source),
    .endless = true,
    .open = open,
    .next = next,
    .close = close_sessions,
};
