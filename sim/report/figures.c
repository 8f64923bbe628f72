#include "report/figures.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

fsim_figure fsim_figure_count(double value) {
    fsim_figure f;
    fsim_text_grouped(fabs(value) < 9e18 ? llround(value) : INT64_MAX, f.text, sizeof f.text);
    return f;
}

fsim_figure fsim_figure_real(double value) {
    fsim_figure f;
    if (value == 0) {
        snprintf(f.text, sizeof f.text, "0");
    } else if (fabs(value) >= 999.5) {
        f = fsim_figure_count(value);
    } else if (fabs(value) < 0.0005) {
        snprintf(f.text, sizeof f.text, "<0.001");
    } else {
        int magnitude = (int)floor(log10(fabs(value)));
        int decimals = magnitude < -1 ? 4 : 2 - magnitude;
        snprintf(f.text, sizeof f.text, "%.*f", decimals < 0 ? 0 : decimals, value);
    }
    return f;
}

fsim_figure fsim_figure_share(double share) {
    fsim_figure f;
    double percent = 100 * share;
    if (share == 0 || share == 1) {
        snprintf(f.text, sizeof f.text, "%.0f %%", percent);
    } else if (percent < 0.005) {
        snprintf(f.text, sizeof f.text, "<0.01 %%");
    } else if (share < 1 && percent >= 99.995) {
        snprintf(f.text, sizeof f.text, ">99.99 %%");
    } else {
        snprintf(f.text, sizeof f.text, "%.2f %%", percent);
    }
    return f;
}

fsim_figure fsim_figure_span(double seconds) {
    fsim_figure f;
    fsim_text_human_span(seconds, f.text, sizeof f.text);
    return f;
}

fsim_figure fsim_figure_horizon(double seconds) {
    static const struct {
        double unit;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    for (int i = 0; i < 4; i++) {
        double n = seconds / units[i].unit;
        if (n >= 1 && n < 100 && fabs(n - round(n)) < 1e-3 * n) {
            fsim_figure f;
            snprintf(f.text, sizeof f.text, "%.0f %s", round(n), units[i].name);
            return f;
        }
    }
    return fsim_figure_span(seconds);
}

int fsim_figure_places(fsim_i128 pico) {
    int places = 2;
    fsim_i128 least = FSIM_PICO; /* three digits that say something */
    pico = pico < 0 ? -pico : pico;
    while (pico > 0 && pico < least && places < 8) {
        least /= 10;
        places++;
    }
    return places;
}

fsim_figure fsim_figure_money(fsim_i128 pico, int places) {
    fsim_figure f;
    char plain[FSIM_DECIMAL_SIZE];
    fsim_decimal_print_places(pico, places, FSIM_ROUND_HALF_UP, plain, sizeof plain);
    size_t whole = strcspn(plain, ".");
    size_t sign = plain[0] == '-';
    size_t put = 0;
    for (size_t i = 0; plain[i] != '\0' && put + 2 < sizeof f.text; i++) {
        if (i > sign && i < whole && (whole - i) % 3 == 0) {
            f.text[put++] = ',';
        }
        f.text[put++] = plain[i];
    }
    f.text[put] = '\0';
    return f;
}
