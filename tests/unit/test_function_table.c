/* Functions by name. */
#include "api/function_table.h"

#include "support/check.h"

static void test_add_find_intern(void) {
    fsim_function_table *table = fsim_function_table_create();
    fsim_fn_spec spec = *fsim_function_table_template(table);
    fsim_fn_id a, b, c;
    fsim_error err = {0};
    char name[] = "alpha";
    spec.name = name;
    spec.memory_mb = 512;
    CHECK_EQ_INT(fsim_function_table_add(table, &spec, &a, &err), FSIM_OK);
    name[0] = 'x'; /* the table has its own copy */
    CHECK_EQ_STR(fsim_function_table_get(table, a)->name, "alpha");
    CHECK_EQ_INT(fsim_function_table_intern(table, "alphabet", 5, &b, &err), FSIM_OK);
    CHECK_EQ_INT(b, a);
    CHECK_EQ_INT(fsim_function_table_intern(table, "alphabet", 8, &c, &err), FSIM_OK);
    CHECK_EQ_INT(c, 1);
    CHECK_EQ_INT(fsim_function_table_get(table, c)->memory_mb, 128);
    CHECK_EQ_INT(fsim_function_table_find(table, "beta"), FSIM_UNLIMITED);
    spec.name = "alphabet";
    CHECK_EQ_INT(fsim_function_table_add(table, &spec, &c, &err), FSIM_ECONFIG);
    fsim_function_table_destroy(table);
}

static void test_many(void) {
    fsim_function_table *table = fsim_function_table_create();
    char name[32];
    fsim_fn_id id;
    const fsim_fn_spec *first = NULL;
    for (uint32_t i = 0; i < 50000; i++) {
        int len = snprintf(name, sizeof name, "function-%u", i);
        REQUIRE(fsim_function_table_intern(table, name, (size_t)len, &id, NULL) == FSIM_OK);
        CHECK_EQ_INT(id, i);
        first = i == 0 ? fsim_function_table_get(table, 0) : first;
    }
    CHECK(first == fsim_function_table_get(table, 0));
    for (uint32_t i = 0; i < 50000; i += 77) {
        snprintf(name, sizeof name, "function-%u", i);
        CHECK_EQ_INT(fsim_function_table_find(table, name), i);
    }
    CHECK_EQ_INT(fsim_function_table_count(table), 50000);
    fsim_function_table_destroy(table);
}

static void test_memory_of_a_trace(void) {
    fsim_function_table *table = fsim_function_table_create();
    fsim_fn_id own, open, unsaid;
    fsim_error err = {0};
    fsim_fn_spec spec = *fsim_function_table_template(table);
    spec.name = "own";
    spec.memory_mb = 256;
    REQUIRE(fsim_function_table_add(table, &spec, &own, NULL) == FSIM_OK);
    REQUIRE(fsim_function_table_intern(table, "open", 4, &open, NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, open, 64, &err), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_get(table, open)->memory_mb, 64);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, open, 64, &err), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, open, 65, &err), FSIM_EDATA);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, own, 256, NULL), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, own, 128, NULL), FSIM_EDATA);
    spec.name = "unsaid";
    spec.memory_open = true;
    REQUIRE(fsim_function_table_add(table, &spec, &unsaid, NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, unsaid, 64, NULL), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_get(table, unsaid)->memory_mb, 64);
    CHECK_EQ_INT(fsim_function_table_set_memory(table, unsaid, 256, NULL), FSIM_EDATA);
    spec.name = "late";
    REQUIRE(fsim_function_table_add(table, &spec, &unsaid, NULL) == FSIM_OK);
    fsim_function_table_settle(table, unsaid);
    err = (fsim_error){0};
    CHECK_EQ_INT(fsim_function_table_set_memory(table, unsaid, 64, &err), FSIM_EDATA);
    CHECK_CONTAINS(err.text, "too late");
    CHECK_EQ_INT(fsim_function_table_get(table, unsaid)->memory_mb, 256);
    fsim_function_table *clone = fsim_function_table_clone(table);
    CHECK_EQ_INT(fsim_function_table_set_memory(clone, unsaid, 64, NULL), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_find(clone, "open"), open);
    CHECK_EQ_INT(fsim_function_table_intern(clone, "more", 4, &open, NULL), FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_count(table), 4);
    CHECK_EQ_INT(fsim_function_table_count(clone), 5);
    fsim_function_table_destroy(clone);
    fsim_function_table_destroy(table);
}

static void test_resolve(void) {
    fsim_value_pool *pool = fsim_value_pool_create();
    fsim_function_table *table = fsim_function_table_create();
    fsim_error err = {0};
    fsim_fn_id id;
    const fsim_value *name = fsim_value_new_string(pool, "resiz", "a.json");
    CHECK_EQ_INT(fsim_function_table_resolve(table, name, &id, &err), FSIM_OK);
    fsim_function_table_destroy(table);

    table = fsim_function_table_create();
    fsim_fn_spec spec = *fsim_function_table_template(table);
    spec.name = "resize";
    REQUIRE(fsim_function_table_add(table, &spec, &id, NULL) == FSIM_OK);
    CHECK_EQ_INT(fsim_function_table_resolve(table, name, &id, &err), FSIM_ECONFIG);
    CHECK_EQ_STR(err.text, "unknown function \"resiz\"; did you mean \"resize\"?");
    fsim_function_table_destroy(table);
    fsim_value_pool_destroy(pool);
}

int main(void) {
    RUN(test_add_find_intern);
    RUN(test_many);
    RUN(test_memory_of_a_trace);
    RUN(test_resolve);
    return check_done();
}
