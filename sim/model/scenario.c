/* The life of a scenario; see scenario.h. Everything but the function table lives in its pool. */
#include "model/scenario.h"

#include <stdlib.h>

void fsim_scenario_destroy(fsim_scenario *scenario) {
    if (scenario == NULL) {
        return;
    }
    fsim_function_table_destroy(scenario->functions);
    fsim_value_pool_destroy(scenario->pool);
    free(scenario);
}
