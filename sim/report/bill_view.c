#include "report/bill_view.h"

#include "report/summary_path_json.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static fsim_i128 pico_of(const char *decimal) {
    fsim_i128 pico;
    return fsim_decimal_parse_pico(decimal, &pico) ? pico : 0;
}

fsim_i128 fsim_bill_total(const json_t *summary, size_t bill) {
    return pico_of(fsim_summary_text(summary, "bills[%zu].total", bill));
}

fsim_i128 fsim_bill_meter(const json_t *summary, size_t bill, const char *meter) {
    fsim_i128 sum = 0;
    size_t lines = fsim_summary_size(summary, "bills[%zu].lines", bill);
    for (size_t i = 0; i < lines; i++) {
        if (strcmp(fsim_summary_text(summary, "bills[%zu].lines[%zu].meter", bill, i), meter) == 0) {
            sum += pico_of(fsim_summary_text(summary, "bills[%zu].lines[%zu].amount", bill, i));
        }
    }
    return sum;
}

fsim_i128 fsim_bill_per_million(const json_t *summary, size_t bill) {
    long long completed = llround(fsim_summary_number(summary, "requests.completed"));
    double month_s = fsim_summary_number(summary, "bills[%zu].month_s", bill);
    fsim_i128 million, requests = completed, each;
    long long run_us = 1, month_us = 1; /* of a month there are more requests than the run had */
    if (month_s > 0) {
        run_us = llround(fsim_summary_number(summary, "horizon_s") * 1e6);
        month_us = llround(month_s * 1e6);
    }
    if (completed <= 0 || !fsim_i128_mul(fsim_bill_total(summary, bill), 1000000, &million) ||
        !fsim_i128_mul(million, run_us, &million) || !fsim_i128_mul(requests, month_us, &requests) ||
        !fsim_i128_divide(million, requests, FSIM_ROUND_HALF_UP, &each)) {
        return 0;
    }
    return each;
}

static bool known(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

size_t fsim_bill_meter_names(json_t *const *summaries, uint32_t count, const char **names, size_t max) {
    size_t found = 0;
    for (uint32_t s = 0; s < count; s++) {
        size_t bills = fsim_summary_size(summaries[s], "bills");
        for (size_t b = 0; b < bills; b++) {
            size_t lines = fsim_summary_size(summaries[s], "bills[%zu].lines", b);
            for (size_t i = 0; i < lines; i++) {
                const char *name = fsim_summary_text(summaries[s], "bills[%zu].lines[%zu].meter", b, i);
                bool costs =
                    pico_of(fsim_summary_text(summaries[s], "bills[%zu].lines[%zu].amount", b, i)) != 0;
                if (costs && found < max && !known(names, found, name)) {
                    names[found++] = name;
                }
            }
        }
    }
    return found;
}
