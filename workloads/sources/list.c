/* Arrivals written out in the scenario: an instant, or {arrival, function, version, duration, count,
 * session}. The list may be empty. */
#include "workloads/sources/arrival_support.h"

#include "base/text.h"

#include <string.h>

typedef struct list_entry {
    fsim_ns at_ns, service_ns;
    uint64_t count, session; /* session: 0 is none */
    fsim_fn_id fn;
} list_entry;

typedef struct list_source {
    list_entry *entries;
    size_t count, now;
    bool has_session;
} list_source;

static fsim_status read_entry(const fsim_source_context *context, const fsim_value *item, list_entry *entry,
                              fsim_error *err) {
    *entry = (list_entry){.service_ns = FSIM_DRAW, .count = 1, .fn = context->default_fn};
    if (item->kind != FSIM_VALUE_OBJECT) {
        return fsim_value_as_span(item, &entry->at_ns, err);
    }
    int64_t count = 1;
    const char *session = NULL, *version = NULL;
    fsim_error inner = {0};
    const fsim_value *function = fsim_value_get(item, "function");
    FSIM_TRY(fsim_source_read_span(item, "arrival", true, &entry->at_ns, err));
    FSIM_TRY(fsim_value_get_span(item, "duration", false, &entry->service_ns, err));
    FSIM_TRY(fsim_value_get_i64(item, "count", 0, INT64_MAX, &count, err));
    FSIM_TRY(fsim_value_get_string(item, "session", &session, err));
    FSIM_TRY(fsim_value_get_string(item, "version", &version, err));
    entry->count = (uint64_t)count;
    if (session != NULL) {
        entry->session = fsim_hash_bytes(FSIM_HASH_START, session, strlen(session));
        entry->session += entry->session == 0;
    }
    if (function != NULL) {
        FSIM_TRY(fsim_function_table_resolve(context->table, function, &entry->fn, err));
    }
    if (version != NULL && fsim_function_table_find_version(context->table, entry->fn, version,
                                                            strlen(version), &entry->fn, &inner) != FSIM_OK) {
        return fsim_value_fail(fsim_value_get(item, "version"), err, "%s", inner.text);
    }
    return FSIM_OK;
}

static fsim_status open(void *state, const fsim_source_context *context, const fsim_value *config,
                        fsim_error *err) {
    list_source *l = state;
    const fsim_value *list = fsim_value_get(config, "arrivals");
    if (list == NULL) {
        return fsim_value_missing(config, "arrivals", err);
    }
    if (list->kind != FSIM_VALUE_ARRAY) {
        return fsim_value_fail(list, err,
                               "expected an array of instants or {arrival, function, version, duration, "
                               "count, session}");
    }
    l->entries = fsim_value_pool_alloc(context->pool, (list->count + 1) * sizeof *l->entries);
    if (l->entries == NULL) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    fsim_ns before = 0;
    for (const fsim_value *item = list->first; item != NULL; item = item->next) {
        list_entry *entry = &l->entries[l->count++];
        FSIM_TRY(read_entry(context, item, entry, err));
        if (entry->at_ns < before) {
            return fsim_value_fail(
                item, err, "arrives before the entry in front of it; the list must be in order of time");
        }
        before = entry->at_ns;
        l->has_session |= entry->session != 0;
    }
    return FSIM_OK;
}

static fsim_status next(void *state, fsim_arrivals *batch, fsim_error *err) {
    list_source *l = state;
    (void)err;
    batch->count = 0;
    batch->has_session = l->has_session;
    while (batch->count < FSIM_BATCH && l->now < l->count) {
        list_entry *entry = &l->entries[l->now];
        if (entry->count == 0) {
            l->now++;
            continue;
        }
        entry->count--;
        batch->at_ns[batch->count] = entry->at_ns;
        batch->service_ns[batch->count] = entry->service_ns;
        batch->session[batch->count] = entry->session;
        batch->fn[batch->count++] = entry->fn;
    }
    return FSIM_OK;
}

const fsim_source_ops fsim_source_list = {
    .name = "list",
    .summary = "arrivals written out: instants, or {arrival, function, version, duration, count, session}",
    .example = "{\"source\": \"list\", \"arrivals\": [\"0s\", {\"arrival\": \"1s\", \"count\": 1500}, "
               "{\"arrival\": \"2s\", "
               "\"duration\": \"30ms\"}]}",
    .state_size = sizeof(list_source),
    .open = open,
    .next = next,
};
