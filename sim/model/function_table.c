/* The function table; see api/function_table.h.
 *
 * Names are found by open addressing with linear probing over their hashes: a trace asks once a row. Specs
 * lie in chunks of their own, so that they never move; a table of chunks grows by doubling. */
#include "api/function_table.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS  7u
#define CHUNK_SPECS (1u << CHUNK_BITS)
#define EMPTY       UINT32_MAX

const char *const fsim_cold_phase_names[FSIM_COLD_PHASES + 1] = {"schedule", "pull", "sandbox",
                                                                 "runtime",  "user", NULL};

typedef struct entry {
    fsim_fn_spec spec;
    uint64_t hash;
    uint32_t name_len;
    bool from_template;
    bool memory_known; /* a trace has said memory_mb */
    bool settled;      /* and may no longer */
} entry;

struct fsim_function_table {
    entry **chunks;
    uint32_t chunk_capacity;
    uint32_t count;
    uint32_t *slots; /* ids by hash; a power of two, at most half full */
    uint32_t slot_count;
    bool has_entries; /* some function has a spec of its own */
    bool has_versions;
    fsim_fn_spec template_spec;
    fsim_value_pool *names;
};

/* Eight bytes at a time: names of public traces are 64 hexadecimal digits. The table is never iterated in
 * hash order, so results do not depend on this function. */
static uint64_t hash_name(const char *name, size_t len) {
    uint64_t hash = len * UINT64_C(0x9e3779b97f4a7c15), word;
    for (; len >= 8; name += 8, len -= 8) {
        memcpy(&word, name, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, name, len);
    hash = (hash ^ word) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 29);
}

static entry *entry_at(const fsim_function_table *table, fsim_fn_id id) {
    return &table->chunks[id >> CHUNK_BITS][id & (CHUNK_SPECS - 1u)];
}

double fsim_fn_cold_mean_s(const fsim_fn_spec *spec) {
    double mean_ns = 0.0;
    if (!spec->cold_has_phases) {
        return fsim_dist_mean_ns(&spec->cold_start) * 1e-9;
    }
    for (int p = 0; p < FSIM_COLD_PHASES; p++) {
        mean_ns += fsim_dist_mean_ns(&spec->cold_phases[p]);
    }
    return mean_ns * 1e-9;
}

uint32_t fsim_concurrency_of_size(const fsim_concurrency_sizes *sizes, int64_t memory_mb) {
    uint32_t i = 0;
    while (i + 1u < sizes->count && sizes->memory_mb[i] < memory_mb) {
        i++;
    }
    return sizes->concurrency[i];
}

fsim_function_table *fsim_function_table_create(void) {
    fsim_function_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->names = fsim_value_pool_create();
    table->slot_count = 64;
    table->slots = malloc(table->slot_count * sizeof *table->slots);
    if (table->names == NULL || table->slots == NULL) {
        fsim_function_table_destroy(table);
        return NULL;
    }
    memset(table->slots, 0xff, table->slot_count * sizeof *table->slots);
    table->template_spec = (fsim_fn_spec){.memory_mb = 128,
                                          .vcpu = 1.0,
                                          .concurrency = 1,
                                          .cpu_fraction = 1.0,
                                          .freeze = true,
                                          .max_instances = FSIM_UNLIMITED,
                                          .reserved_concurrency = FSIM_UNLIMITED,
                                          .timeout_ns = FSIM_NEVER};
    return table;
}

void fsim_function_table_destroy(fsim_function_table *table) {
    if (table == NULL) {
        return;
    }
    for (uint32_t i = 0; i < table->chunk_capacity && table->chunks[i] != NULL; i++) {
        free(table->chunks[i]);
    }
    free(table->chunks);
    free(table->slots);
    fsim_value_pool_destroy(table->names);
    free(table);
}

void fsim_function_table_set_template(fsim_function_table *table, const fsim_fn_spec *spec) {
    table->template_spec = *spec;
}

const fsim_fn_spec *fsim_function_table_template(const fsim_function_table *table) {
    return &table->template_spec;
}

/* The slot of the name, or the empty one where it belongs. */
static uint32_t find_slot(const fsim_function_table *table, const char *name, size_t len, uint64_t hash) {
    uint32_t mask = table->slot_count - 1u;
    uint32_t slot = (uint32_t)hash & mask;
    while (table->slots[slot] != EMPTY) {
        const entry *e = entry_at(table, table->slots[slot]);
        if (e->hash == hash && e->name_len == len && memcmp(e->spec.name, name, len) == 0) {
            break;
        }
        slot = (slot + 1u) & mask;
    }
    return slot;
}

static bool grow_slots(fsim_function_table *table) {
    uint32_t larger = table->slot_count * 2u;
    uint32_t *slots = malloc(larger * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0xff, larger * sizeof *slots);
    for (uint32_t id = 0; id < table->count; id++) {
        uint32_t slot = (uint32_t)entry_at(table, id)->hash & (larger - 1u);
        while (slots[slot] != EMPTY) {
            slot = (slot + 1u) & (larger - 1u);
        }
        slots[slot] = id;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = larger;
    return true;
}

static bool grow_chunks(fsim_function_table *table) {
    uint32_t chunk = table->count >> CHUNK_BITS;
    if (chunk >= table->chunk_capacity) {
        uint32_t larger = table->chunk_capacity == 0 ? 8 : 2 * table->chunk_capacity;
        entry **chunks = realloc(table->chunks, larger * sizeof *chunks);
        if (chunks == NULL) {
            return false;
        }
        memset(chunks + table->chunk_capacity, 0, (larger - table->chunk_capacity) * sizeof *chunks);
        table->chunks = chunks;
        table->chunk_capacity = larger;
    }
    if (table->chunks[chunk] == NULL) {
        table->chunks[chunk] = calloc(CHUNK_SPECS, sizeof(entry));
    }
    return table->chunks[chunk] != NULL;
}

/* Appends a function whose name is known to be new. */
static fsim_status append(fsim_function_table *table, const fsim_fn_spec *spec, const char *name, size_t len,
                          uint64_t hash, fsim_fn_id *id, fsim_error *err) {
    if (table->count == FSIM_FUNCTIONS_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "more than %u functions", FSIM_FUNCTIONS_MAX);
    }
    char *copy = fsim_value_pool_alloc(table->names, len + 1);
    if (copy == NULL || !grow_chunks(table) ||
        (2u * (table->count + 1u) > table->slot_count && !grow_slots(table))) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memcpy(copy, name, len);
    table->slots[find_slot(table, name, len, hash)] = table->count;
    entry *e = entry_at(table, table->count);
    *e = (entry){.spec = *spec, .hash = hash, .name_len = (uint32_t)len};
    e->spec.name = copy;
    table->has_versions |= spec->version != NULL;
    *id = table->count++;
    return FSIM_OK;
}

fsim_status fsim_function_table_add(fsim_function_table *table, const fsim_fn_spec *spec, fsim_fn_id *id,
                                    fsim_error *err) {
    size_t len = strlen(spec->name);
    uint64_t hash = hash_name(spec->name, len);
    if (table->slots[find_slot(table, spec->name, len, hash)] != EMPTY) {
        return fsim_fail(err, FSIM_ECONFIG, "function \"%.100s\" is defined twice", spec->name);
    }
    FSIM_TRY(append(table, spec, spec->name, len, hash, id, err));
    table->has_entries = true;
    return FSIM_OK;
}

fsim_status fsim_function_table_intern(fsim_function_table *table, const char *name, size_t len,
                                       fsim_fn_id *id, fsim_error *err) {
    uint64_t hash = hash_name(name, len);
    uint32_t found = table->slots[find_slot(table, name, len, hash)];
    if (found != EMPTY) {
        *id = found;
        return FSIM_OK;
    }
    FSIM_TRY(append(table, &table->template_spec, name, len, hash, id, err));
    entry_at(table, *id)->from_template = true;
    return FSIM_OK;
}

fsim_fn_id fsim_function_table_find(const fsim_function_table *table, const char *name) {
    size_t len = strlen(name);
    return table->slots[find_slot(table, name, len, hash_name(name, len))];
}

#define SUGGESTIONS 256

fsim_status fsim_function_table_resolve(fsim_function_table *table, const fsim_value *name, fsim_fn_id *id,
                                        fsim_error *err) {
    if (name->kind != FSIM_VALUE_STRING || name->string[0] == '\0') {
        return fsim_value_fail(name, err, "expected the name of a function");
    }
    if (!table->has_entries) {
        return fsim_function_table_intern(table, name->string, strlen(name->string), id, err);
    }
    *id = fsim_function_table_find(table, name->string);
    if (*id != EMPTY) {
        return FSIM_OK;
    }
    const char *names[SUGGESTIONS + 1];
    uint32_t n = table->count < SUGGESTIONS ? table->count : SUGGESTIONS;
    for (uint32_t i = 0; i < n; i++) {
        names[i] = entry_at(table, i)->spec.name;
    }
    names[n] = NULL;
    return fsim_value_fail_name(name, "function", names, err);
}

bool fsim_function_table_has_versions(const fsim_function_table *table) {
    return table->has_versions;
}

uint32_t fsim_function_table_count(const fsim_function_table *table) {
    return table->count;
}

const fsim_fn_spec *fsim_function_table_get(const fsim_function_table *table, fsim_fn_id id) {
    fsim_check(id < table->count);
    return &entry_at(table, id)->spec;
}

void fsim_function_table_set_spec(fsim_function_table *table, fsim_fn_id id, const fsim_fn_spec *spec) {
    entry *e = entry_at(table, id);
    const char *name = e->spec.name;
    e->spec = *spec;
    e->spec.name = name;
}

fsim_status fsim_function_table_set_memory(fsim_function_table *table, fsim_fn_id id, int64_t memory_mb,
                                           fsim_error *err) {
    entry *e = entry_at(table, id);
    bool said = e->memory_known || !(e->from_template || e->spec.memory_open);
    bool differs = e->spec.memory_mb != memory_mb;
    if (differs && !said && e->settled) {
        return fsim_fail(
            err, FSIM_EDATA,
            "memory_mb %lld of function \"%.100s\" comes too late: earlier rows said none and ran "
            "with %lld, expected it in the first of them",
            (long long)memory_mb, e->spec.name, (long long)e->spec.memory_mb);
    }
    if (differs && said) {
        return fsim_fail(err, FSIM_EDATA,
                         "memory_mb %lld contradicts %lld, given earlier for function \"%.100s\"",
                         (long long)memory_mb, (long long)e->spec.memory_mb, e->spec.name);
    }
    e->spec.memory_mb = memory_mb;
    if (e->spec.sizes != NULL) {
        e->spec.concurrency = fsim_concurrency_of_size(e->spec.sizes, memory_mb);
    }
    e->memory_known = true;
    return FSIM_OK;
}

void fsim_function_table_settle(fsim_function_table *table, fsim_fn_id id) {
    entry_at(table, id)->settled = true;
}

bool fsim_function_table_memory_given(const fsim_function_table *table, fsim_fn_id id) {
    return entry_at(table, id)->memory_known;
}

fsim_function_table *fsim_function_table_clone(const fsim_function_table *table) {
    fsim_function_table *clone = fsim_function_table_create();
    if (clone == NULL) {
        return NULL;
    }
    clone->template_spec = table->template_spec;
    for (uint32_t i = 0; i < table->count; i++) {
        const entry *from = entry_at(table, i);
        fsim_fn_id id;
        if (append(clone, &from->spec, from->spec.name, from->name_len, from->hash, &id, NULL) != FSIM_OK) {
            fsim_function_table_destroy(clone);
            return NULL;
        }
        entry_at(clone, id)->from_template = from->from_template;
        entry_at(clone, id)->memory_known = from->memory_known;
    }
    clone->has_entries = table->has_entries;
    return clone;
}
