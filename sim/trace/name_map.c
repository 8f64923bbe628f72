/* Texts as numbers; open addressing, half full at most. */
#include "base/limits.h"
#include "base/rng.h"
#include "trace/trace_parts.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY UINT32_MAX

void name_map_open(name_map *map, fsim_value_pool *pool) {
    *map = (name_map){.pool = pool};
}

void name_map_close(name_map *map) {
    free(map->texts);
    free(map->lengths);
    free(map->slots);
}

/* FNV-1a ends with a multiplication: its high bits are the good ones. */
static uint32_t first_slot(const name_map *map, const char *text, size_t len) {
    return (uint32_t)(fsim_hash_bytes(FSIM_HASH_START, text, len) >> 32) & (map->slot_count - 1u);
}

/* The slot of the text, or the empty one where it belongs. */
static uint32_t find_slot(const name_map *map, const char *text, size_t len) {
    uint32_t slot = first_slot(map, text, len);
    for (; map->slots[slot] != EMPTY; slot = (slot + 1u) & (map->slot_count - 1u)) {
        uint32_t n = map->slots[slot];
        if (map->lengths[n] == len && memcmp(map->texts[n], text, len) == 0) {
            break;
        }
    }
    return slot;
}

static bool grow(name_map *map) {
    uint32_t capacity = map->capacity == 0 ? 64 : 2u * map->capacity;
    const char **texts = realloc(map->texts, capacity * sizeof *texts);
    map->texts = texts != NULL ? texts : map->texts;
    uint32_t *lengths = realloc(map->lengths, capacity * sizeof *lengths);
    map->lengths = lengths != NULL ? lengths : map->lengths;
    uint32_t *slots = malloc(2u * capacity * sizeof *slots);
    if (texts == NULL || lengths == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    free(map->slots);
    map->slots = slots;
    map->slot_count = 2u * capacity;
    map->capacity = capacity;
    memset(slots, 0xff, map->slot_count * sizeof *slots);
    for (uint32_t n = 0; n < map->count; n++) {
        slots[find_slot(map, texts[n], lengths[n])] = n;
    }
    return true;
}

uint32_t name_map_find(const name_map *map, const char *text, size_t len) {
    return map->slot_count == 0 ? EMPTY : map->slots[find_slot(map, text, len)];
}

fsim_status name_map_intern(name_map *map, const char *text, size_t len, uint32_t *number, fsim_error *err) {
    *number = name_map_find(map, text, len);
    if (*number != EMPTY) {
        return FSIM_OK;
    }
    if (map->count == FSIM_FUNCTIONS_MAX) {
        return fsim_fail(err, FSIM_ELIMIT, "more than %u functions or names", FSIM_FUNCTIONS_MAX);
    }
    char *copy = fsim_value_pool_alloc(map->pool, len + 1u);
    if (copy == NULL || (map->count == map->capacity && !grow(map))) {
        return fsim_fail(err, FSIM_ELIMIT, "out of memory");
    }
    memcpy(copy, text, len);
    map->texts[map->count] = copy;
    map->lengths[map->count] = (uint32_t)len;
    map->slots[find_slot(map, text, len)] = map->count;
    *number = map->count++;
    return FSIM_OK;
}
