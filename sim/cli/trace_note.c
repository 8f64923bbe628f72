#include "cli/trace_note.h"

#include "base/text.h"

void fsim_trace_note(FILE *out, const fsim_trace_facts *facts, uint64_t kept) {
    uint64_t all = kept;
    for (uint32_t i = 0; i < facts->drop_count; i++) {
        all += facts->drops[i].invocations;
    }
    for (uint32_t i = 0; i < facts->drop_count; i++) {
        const fsim_trace_drop *drop = &facts->drops[i];
        double share = all == 0 ? 0.0 : 100.0 * (double)drop->invocations / (double)all;
        char rows[40], requests[40];
        fsim_text_grouped((int64_t)drop->rows, rows, sizeof rows);
        fsim_text_grouped((int64_t)drop->invocations, requests, sizeof requests);
        fprintf(out, "fsim: %s: left out %s row%s, %s request%s (%.3g %%): %s\n", facts->format, rows,
                drop->rows == 1 ? "" : "s", requests, drop->invocations == 1 ? "" : "s", share, drop->reason);
    }
}
