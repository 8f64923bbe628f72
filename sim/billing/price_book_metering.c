/* Reading how a book meters; see price_book.h. */
#include "billing/book_read.h"
#include "billing/price_book.h"

#include <string.h>

static fsim_status read_memory(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"note", NULL};
    const char *basis = "configured";
    FSIM_TRY(fsim_book_get_count(metering, "memory_mb", 1, &m->memory_fixed, err));
    const fsim_value *memory = fsim_value_get(metering, "memory");
    if (memory == NULL || memory->kind == FSIM_VALUE_STRING) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_get_count(memory, "step_mib", 1, &m->memory_step, err));
    FSIM_TRY(fsim_book_get_count(memory, "min_mib", 1, &m->memory_min, err));
    FSIM_TRY(fsim_book_get_count(memory, "max_mib", 1, &m->memory_max, err));
    FSIM_TRY(fsim_value_get_string(memory, "basis", &basis, err));
    m->memory_observed = fsim_book_word(basis, "observed");
    fsim_book_skip_notes(memory, notes);
    const fsim_value *sizes = fsim_value_get(memory, "sizes_mib");
    if (sizes == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_need_array(sizes, sizeof m->memory_size / sizeof m->memory_size[0], err));
    for (fsim_value *size = sizes->first; size != NULL; size = size->next) {
        uint64_t before = m->memory_size_count == 0 ? 0 : m->memory_size[m->memory_size_count - 1];
        if (size->kind != FSIM_VALUE_INTEGER || size->integer <= (int64_t)before) {
            return fsim_value_fail(size, err, "expected rising whole numbers of MiB");
        }
        fsim_value_mark_used(size);
        m->memory_size[m->memory_size_count++] = (uint64_t)size->integer;
    }
    return FSIM_OK;
}

/* [[memory MiB, MHz], …]: the clock rate that comes with a memory size. */
static fsim_status read_clock(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    const fsim_value *table = fsim_value_get(metering, "ghz");
    if (table == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_need_array(table, FSIM_BOOK_SIZES_MAX, err));
    for (const fsim_value *row = table->first; row != NULL; row = row->next) {
        uint64_t before = m->clock_count == 0 ? 0 : m->clock[m->clock_count - 1].memory_mib;
        if (row->kind != FSIM_VALUE_ARRAY || row->count != 2 || row->first->kind != FSIM_VALUE_INTEGER ||
            row->last->kind != FSIM_VALUE_INTEGER || row->first->integer <= (int64_t)before ||
            row->last->integer <= 0) {
            return fsim_value_fail(row, err, "expected [MiB, MHz], whole numbers, with rising sizes");
        }
        fsim_value_mark_used(row->first);
        fsim_value_mark_used(row->last);
        m->clock[m->clock_count].memory_mib = (uint64_t)row->first->integer;
        m->clock[m->clock_count++].mhz = (uint64_t)row->last->integer;
    }
    return FSIM_OK;
}

static fsim_status read_node(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"note", NULL};
    const fsim_value *node = fsim_value_get(metering, "node");
    if (node != NULL) {
        FSIM_TRY(fsim_book_get_count(node, "vcpu_milli", 1, &m->node.vcpu_milli, err));
        FSIM_TRY(fsim_book_get_count(node, "memory_mib", 1, &m->node.memory_mib, err));
        fsim_book_skip_notes(node, notes);
        if (m->node.vcpu_milli == 0 || m->node.memory_mib == 0) {
            return fsim_value_missing(node, m->node.vcpu_milli == 0 ? "vcpu_milli" : "memory_mib", err);
        }
    }
    if (m->mode == FSIM_MODE_NODE_HOURS && node == NULL) {
        m->unpriced_rule = "mode (node-hours without a node)";
    }
    return FSIM_OK;
}

/* Residency: idle at the minimum number of replicas, below so much CPU. */
static fsim_status read_idle_replicas(const fsim_value *idle, fsim_metering *m, fsim_error *err) {
    static const char *const states[] = {"at_minimum", NULL};
    uint64_t milli = 0;
    int state = -1;
    FSIM_TRY(fsim_book_get_count(idle, "threshold_milli", 1, &milli, err));
    FSIM_TRY(fsim_value_get_enum(idle, "replicas", states, &state, err));
    if ((milli != 0) != (state == 0)) {
        return fsim_value_fail(idle, err, "threshold_milli and \"replicas\": \"at_minimum\" belong together");
    }
    m->idle_below_ucore = milli * 1000;
    if (milli == 0 && m->mode == FSIM_MODE_RESIDENCY) {
        m->unpriced_rule = "idle";
    }
    return FSIM_OK;
}

static fsim_status read_idle(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"rule", "otherwise_idle", "price_ratio", "note", NULL};
    static const char *const readings[] = {"resident", "full", NULL};
    const fsim_value *idle = fsim_value_get(metering, "idle");
    if (idle == NULL) {
        return FSIM_OK;
    }
    uint64_t ppm = m->threshold.ppm, sample_us = (uint64_t)(m->window_ns / FSIM_US);
    int reading = 0;
    FSIM_TRY(fsim_book_get_count(idle, "threshold_ppm", 0, &ppm, err));
    FSIM_TRY(fsim_book_get_count(idle, "sample_us", 1, &sample_us, err));
    FSIM_TRY(fsim_value_get_enum(idle, "divide_by", readings, &reading, err));
    FSIM_TRY(read_idle_replicas(idle, m, err));
    if (ppm > 2000000 || sample_us > 10000000) {
        return fsim_value_fail(idle, err,
                               "expected threshold_ppm up to 2000000 and sample_us up to 10000000");
    }
    m->threshold = (fsim_threshold){.ppm = (uint32_t)ppm, .full_window = reading == 1};
    m->window_ns = (fsim_ns)sample_us * FSIM_US;
    fsim_book_skip_notes(idle, notes);
    return FSIM_OK;
}

static fsim_status read_init(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    const char *init = "unbilled", *starts = NULL;
    FSIM_TRY(fsim_value_get_string(metering, "init", &init, err));
    FSIM_TRY(fsim_value_get_string(metering, "starts", &starts, err));
    if (fsim_book_word(init, "with_first") || fsim_book_word(init, "billed") ||
        fsim_book_word(init, "billed_with_first_request")) {
        m->init = FSIM_INIT_WITH_FIRST;
    } else if (fsim_book_word(init, "separate")) {
        m->init = FSIM_INIT_SEPARATE;
    } else if (!fsim_book_word(init, "unbilled")) {
        return fsim_value_fail(fsim_value_get(metering, "init"), err,
                               "expected unbilled, with_first, separate or billed");
    }
    bool resides = m->mode == FSIM_MODE_RESIDENCY || m->mode == FSIM_MODE_CPU_TIME_RESIDENCY ||
                   m->mode == FSIM_MODE_RESIDENCY_BURST || m->mode == FSIM_MODE_RESIDENCY_ACTIVE;
    if (m->mode == FSIM_MODE_THRESHOLD && m->init != FSIM_INIT_UNBILLED) {
        m->unpriced_rule = "init";
    }
    if (starts != NULL && strcmp(starts, "create") != 0 && strcmp(starts, "image pull") != 0 &&
        strcmp(starts, "ready") != 0) {
        return fsim_value_fail(fsim_value_get(metering, "starts"), err,
                               "expected ready, create or image pull");
    }
    m->from_creation =
        resides && ((starts != NULL && strcmp(starts, "ready") != 0) || m->init != FSIM_INIT_UNBILLED);
    return FSIM_OK;
}

static fsim_status read_steps(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const rounds[] = {"ceil", NULL};
    static const char *const notes[] = {"free_tier", "note", NULL};
    int round = 0;
    m->granularity_us = 1000;
    FSIM_TRY(fsim_book_get_count(metering, "granularity_us", 1, &m->granularity_us, err));
    m->min_us = m->granularity_us;
    FSIM_TRY(fsim_book_get_count(metering, "min_us", 0, &m->min_us, err));
    FSIM_TRY(fsim_value_get_enum(metering, "round", rounds, &round, err));
    m->provisioned_granularity_us = m->provisioned_min_us = 1000;
    const fsim_value *provisioned = fsim_value_get(metering, "provisioned");
    if (provisioned == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_get_count(provisioned, "granularity_us", 1, &m->provisioned_granularity_us, err));
    m->provisioned_min_us = m->provisioned_granularity_us;
    FSIM_TRY(fsim_book_get_count(provisioned, "min_us", 0, &m->provisioned_min_us, err));
    FSIM_TRY(fsim_value_get_enum(provisioned, "round", rounds, &round, err));
    fsim_book_skip_notes(provisioned, notes);
    return FSIM_OK;
}

/* Reserved instances: steps of their own, and a price for the time without a request. */
static fsim_status read_reserved(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"starts", "ends", "idle_mode", "note", NULL};
    const fsim_value *reserved = fsim_value_get(metering, "reserved");
    if (reserved == NULL) {
        return FSIM_OK;
    }
    m->reserved = true;
    FSIM_TRY(fsim_book_get_count(reserved, "granularity_us", 1, &m->provisioned_granularity_us, err));
    m->provisioned_min_us = m->provisioned_granularity_us;
    FSIM_TRY(fsim_book_get_count(reserved, "min_us", 0, &m->provisioned_min_us, err));
    fsim_book_skip_notes(reserved, notes);
    return FSIM_OK;
}

/* Provisioned instances that no request needs, window by window. */
static fsim_status read_unused(const fsim_value *metering, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"idle_instances", "note", NULL};
    const fsim_value *unused = fsim_value_get(metering, "provisioned_idle");
    uint64_t sample_us = 10000000;
    if (unused == NULL) {
        return FSIM_OK;
    }
    FSIM_TRY(fsim_book_get_count(unused, "sample_us", 1000000, &sample_us, err));
    m->unused_window_ns = (fsim_ns)sample_us * FSIM_US;
    fsim_book_skip_notes(unused, notes);
    return FSIM_OK;
}

fsim_status fsim_book_read_metering(const fsim_value *root, fsim_metering *m, fsim_error *err) {
    static const char *const notes[] = {"round_scope", "init_limit_us", "shutdown",  "concurrency_max",
                                        "cpu",         "disk",          "ends",      "failed",
                                        "note",        "requests",      "residency", "old_granularity_us",
                                        "snapstart",   "stream",        NULL};
    const fsim_value *metering = fsim_value_get(root, "metering");
    const char *mode_name;
    if (metering == NULL) {
        return fsim_value_missing(root, "metering", err);
    }
    int mode = 0;
    FSIM_TRY(fsim_book_need_string(metering, "mode", &mode_name, err));
    FSIM_TRY(fsim_value_get_enum(metering, "mode", fsim_metering_mode_names, &mode, err));
    m->mode = (fsim_metering_mode)mode;
    m->threshold.ppm = 50000;
    m->window_ns = FSIM_SECOND;
    if (m->mode == FSIM_MODE_GIVEN) {
        m->unpriced_rule = "mode";
    }
    FSIM_TRY(read_steps(metering, m, err));
    FSIM_TRY(read_reserved(metering, m, err));
    FSIM_TRY(read_unused(metering, m, err));
    FSIM_TRY(read_memory(metering, m, err));
    FSIM_TRY(read_clock(metering, m, err));
    FSIM_TRY(read_node(metering, m, err));
    FSIM_TRY(read_idle(metering, m, err));
    FSIM_TRY(read_init(metering, m, err));
    fsim_book_skip_notes(metering, notes);
    fsim_value *prose = fsim_value_get(metering, "rounding");
    if (prose != NULL) { /* only people understand it */
        fsim_value_mark_used(prose);
        m->unpriced_rule = "rounding";
    }
    return FSIM_OK;
}
