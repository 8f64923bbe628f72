/* The changes of a block in order of time: see lanes.h. */
#include "model/lanes.h"

#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    PART_BITS = 11,             /* changes that are put in order together, more or less */
    PLACE_BITS = 13,            /* of a part */
    COUNT_MOST = (1 << 16) - 1, /* of a part: its counts have 16 bits */
    PLACES_AT_ONCE = 8,
    MERGED = 1 << 11, /* changes that are followed together where two columns become one, at most */
    FEW = 32          /* changes in one place that insertion is good for; a power of 2 */
};

static __attribute__((noinline)) bool reserve(lanes *s, uint64_t count) {
    if (count > s->sorted_capacity && count < UINT32_MAX / 4u) {
        free(s->sorted);
        s->sorted_capacity = (uint32_t)(count + count / 2u);
        s->sorted = malloc(2u * (size_t)s->sorted_capacity * sizeof *s->sorted);
        s->sorted_capacity = s->sorted == NULL ? 0 : s->sorted_capacity;
    }
    return count <= s->sorted_capacity;
}

/* Most words are not before the last one. */
static void insert(uint64_t *to, const uint64_t *from, uint32_t count) {
    uint64_t last = 0;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t word = from[k];
        if (FSIM_LIKELY(word >= last)) {
            to[k] = last = word;
            continue;
        }
        uint32_t at = k;
        do {
            to[at] = to[at - 1u];
            at--;
        } while (at > 0 && to[at - 1u] > word);
        to[at] = word;
    }
}

/* From counts to where each place begins; `places` is a multiple of PLACES_AT_ONCE. True: one holds FEW or
 * more. */
#ifdef __SSE2__
static bool accumulate(uint16_t *place, uint32_t places) {
    __m128i before = _mm_setzero_si128(); /* the sum so far, eight times */
    __m128i many = _mm_setzero_si128();
    for (uint32_t k = 0; k < places; k += PLACES_AT_ONCE) {
        __m128i counts = _mm_loadu_si128((const __m128i *)(const void *)(place + k));
        __m128i sums = _mm_add_epi16(counts, _mm_slli_si128(counts, 2));
        sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 4));
        sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 8));
        sums = _mm_add_epi16(sums, before);
        _mm_storeu_si128((__m128i *)(void *)(place + k), _mm_sub_epi16(sums, counts));
        before = _mm_shuffle_epi32(_mm_shufflehi_epi16(sums, 0xff), 0xff);
        many = _mm_or_si128(many, counts);
    }
    __m128i few = _mm_cmpeq_epi16(_mm_and_si128(many, _mm_set1_epi16(-FEW)), _mm_setzero_si128());
    return _mm_movemask_epi8(few) != 0xffff;
}
#else
static bool accumulate(uint16_t *place, uint32_t places) {
    uint32_t before = 0, many = 0;
    for (uint32_t k = 0; k < places; k++) {
        uint32_t here = place[k];
        place[k] = (uint16_t)before;
        before += here;
        many |= here;
    }
    return many >= FEW;
}
#endif

/* Words that are alike from bit `wide` on: each to its place among about four times as many as there are
 * words, and those that share one by insertion, or where many do, as when all arrive at once, by the bits
 * below. As many words of `spare` are free to use. */
static void sort_few(uint64_t *word, uint64_t *spare, uint32_t count, uint32_t wide) {
    uint16_t place[(1 << PLACE_BITS) + PLACES_AT_ONCE];
    uint32_t bits = lanes_bits_of(count) + 1u;
    bits = bits > PLACE_BITS ? PLACE_BITS : bits;
    bits = bits > wide ? wide : bits;
    uint32_t shift = wide - bits, mask = (1u << bits) - 1u;
    uint32_t places = (mask + PLACES_AT_ONCE) / PLACES_AT_ONCE * PLACES_AT_ONCE;
    memset(place, 0, places * sizeof *place);
    for (uint32_t k = 0; k < count; k++) {
        place[word[k] >> shift & mask]++;
    }
    bool many = accumulate(place, places);
    for (uint32_t k = 0; k < count; k++) {
        spare[place[word[k] >> shift & mask]++] = word[k];
    }
    if (!many || shift == 0) {
        insert(word, spare, count);
        return;
    }
    for (uint32_t k = 0, from = 0; k <= mask; from = place[k++]) { /* place[k] is now the end of k */
        uint32_t here = place[k] - from;
        if (here < FEW) {
            insert(word + from, spare + from, here);
        } else {
            memcpy(word + from, spare + from, here * sizeof *word);
            sort_few(word + from, spare + from, here, shift);
        }
    }
}

/* From counts to where each part begins. */
static void accumulate_parts(uint32_t *place, uint32_t parts) {
    for (uint32_t k = 0, sum = 0; k < parts; k++) {
        uint32_t here = place[k];
        place[k] = sum;
        sum += here;
    }
}

/* The same of any number, in parts that are few. */
static void sort(uint64_t *word, uint64_t *spare, uint32_t count, uint32_t wide) {
    uint32_t place[1 << LANES_PARTS_BITS] = {0};
    uint32_t bits = wide < LANES_PARTS_BITS ? wide : LANES_PARTS_BITS, shift = wide - bits,
             mask = (1u << bits) - 1u;
    if (count <= COUNT_MOST) {
        sort_few(word, spare, count, wide);
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        place[word[k] >> shift & mask]++;
    }
    accumulate_parts(place, mask + 1u);
    for (uint32_t k = 0; k < count; k++) {
        spare[place[word[k] >> shift & mask]++] = word[k];
    }
    memcpy(word, spare, count * sizeof *word);
    for (uint32_t k = 0, from = 0; k <= mask && shift != 0; from = place[k++]) {
        sort(word + from, spare + from, place[k] - from, shift);
    }
}

/* ---- beginnings that came in order of time ---- */

static uint64_t beginning(const lanes_block *b, uint32_t k) {
    return ((uint64_t)(b->came_ns[k] - b->from_ns) << 1 | 1u) << b->fn_bits | b->came_fn[k];
}

/* The next of two columns that end with a word above all; which it comes from is not to be foreseen, so
 * nothing is decided on it. */
static void merge(uint64_t *to, uint32_t count, const uint64_t **a, const uint64_t **b) {
    const uint64_t *next_a = *a, *next_b = *b;
    uint64_t from_a = 0; /* so far; the others are from b */
    for (uint64_t k = 0; k < count; k++) {
        uint64_t word_a = next_a[from_a], word_b = next_b[k - from_a];
        to[k] = word_a < word_b ? word_a : word_b;
        from_a += word_a < word_b;
    }
    *a = next_a + from_a;
    *b = next_b + (count - from_a);
}

/* Those from *came on that are before `limit`, at most MERGED. */
static uint32_t take_beginnings(const lanes_block *b, uint32_t *came, uint64_t limit, uint64_t *column) {
    uint32_t count = 0, left = b->arrivals - *came;
    left = left < MERGED ? left : MERGED;
    while (count < left && (column[count] = beginning(b, *came + count)) < limit) {
        count++;
    }
    column[count] = UINT64_MAX;
    *came += count;
    return count;
}

/* Where they cannot be followed both at once; as lanes_follow_both. */
static const uint64_t *merge_and_follow(lanes *s, lanes_block *b, const uint64_t *begin, uint32_t begins,
                                        const uint64_t *end, const uint64_t *last, uint64_t limit) {
    uint64_t merged[MERGED + 1];
    const uint64_t *due = limit == UINT64_MAX ? last : end;
    while (due < last && *due < limit) {
        due++;
    }
    uint64_t left = begins + (uint64_t)(due - end);
    while (left != 0 && !s->pass.failed) {
        uint32_t count = left < MERGED ? (uint32_t)left : MERGED;
        merge(merged, count, &begin, &end);
        merged[count] = UINT64_MAX;
        lanes_follow(s, b, merged, count);
        left -= count;
    }
    return end;
}

/* Follows the ends [end, last), in order, with a word above all behind them, together with the beginnings
 * from *came on that are before `limit`. */
static void follow_columns(lanes *s, lanes_block *b, const uint64_t *end, const uint64_t *last,
                           uint64_t limit, uint32_t *came) {
    uint64_t column[MERGED + 1];
    for (bool more = true; more && !s->pass.failed;) {
        uint32_t begins = take_beginnings(b, came, limit, column);
        more = begins == MERGED && *came < b->arrivals && beginning(b, *came) < limit;
        uint64_t until = more ? beginning(b, *came) : UINT64_MAX;
        end = lanes_can_follow_both(s, b, begins + (uint64_t)(last - end))
                  ? lanes_follow_both(s, b, column, end, until)
                  : merge_and_follow(s, b, column, begins, end, last, until);
    }
}

/* ---- parts of the block's time, each of which fits the first-level cache ---- */

void lanes_plan_split(lanes_block *b, uint64_t changes) {
    uint32_t wide = lanes_bits_of((uint64_t)(b->to_ns - b->from_ns)) + 1u + b->fn_bits;
    uint32_t bits = changes >> PART_BITS != 0 ? lanes_bits_of(changes >> PART_BITS) : 0;
    bits = bits > LANES_PARTS_BITS ? LANES_PARTS_BITS : bits;
    b->split_bits = bits > wide ? wide : bits;
    b->split_shift = wide - b->split_bits;
}

bool lanes_split(const lanes_block *b, const lanes_task *task, lanes_part *part) {
    if (!lanes_room(&part->word, (uint64_t)task->words + 1u, &part->word_capacity, sizeof *part->word)) {
        return false;
    }
    const uint64_t *word = task->word;
    uint64_t *to = part->word;
    uint32_t *place = part->split, shift = b->split_shift, count = task->words;
    memset(place, 0, sizeof *place << b->split_bits);
    for (uint32_t k = 0; k < count; k++) {
        place[word[k] >> shift]++;
    }
    accumulate_parts(place, 1u << b->split_bits);
    for (uint32_t k = 0; k < count; k++) {
        to[place[word[k] >> shift]++] = word[k];
    }
    return true;
}

/* The k-th part of what all tasks have, unsorted; returns how many changes these are. */
static uint32_t gather(lanes *s, const lanes_block *b, uint32_t k) {
    uint64_t count = 0;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const uint32_t *end = b->part[t].split;
        count += end[k] - (k == 0 ? 0 : end[k - 1u]);
    }
    if (!reserve(s, count + 1u)) {
        s->pass.failed = true;
        return 0;
    }
    uint64_t *to = s->sorted;
    for (uint32_t t = 0; t < LANES_TASKS; t++) {
        const uint32_t *end = b->part[t].split;
        uint32_t from = k == 0 ? 0 : end[k - 1u], here = end[k] - from;
        memcpy(to, b->part[t].word + from, here * sizeof *to);
        to += here;
    }
    return (uint32_t)count;
}

void lanes_sort(lanes *s, lanes_block *b) {
    uint32_t came = 0, last = (1u << b->split_bits) - 1u;
    for (uint32_t k = 0; k <= last && !s->pass.failed; k++) {
        uint64_t limit = k < last ? (uint64_t)(k + 1u) << b->split_shift : UINT64_MAX;
        uint32_t count = gather(s, b, k);
        uint64_t *word = s->sorted;
        if (s->pass.failed) {
            return;
        }
        sort(word, word + s->sorted_capacity, count, b->split_shift);
        word[count] = UINT64_MAX;
        if (s->by_stream) {
            lanes_follow(s, b, word, count);
        } else {
            follow_columns(s, b, word, word + count, limit, &came);
        }
    }
}
