/* What fsim and fsim-wasm-worker say to each other: messages over pipes, little-endian, one encoding for all.
 *
 *   bytes 0..3    size of what follows
 *   bytes 4..5    type
 *   bytes 6..7    number of values n (fixed by the type)
 *   bytes 8..11   id: of the instance; 0 where none is meant
 *   bytes 12..15  call: of the request; the round of a measurement
 *   8 n bytes     values
 *   the rest      text, UTF-8 without NUL
 *
 * A message fits PIPE_BUF, so that many instances write to one pipe without tearing. fsim speaks first: HELLO
 * with the version; a worker of another version answers FAILED. Conversation:
 *
 *   control socket, fsim -> worker     HELLO, LOAD, MEASURE, START (with the read end of the instance's
 * pipe), KILL call pipe, fsim -> instance        CALL; closing it ends the instance event pipe, everybody ->
 * fsim      HELLO, LOADED, PHASES, MEASURED, READY, RESULT, EXITED, FAILED
 *
 * Instants are of CLOCK_MONOTONIC, which all processes of a machine share. */
#ifndef FSIM_WASM_PROTOCOL_H
#define FSIM_WASM_PROTOCOL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define FSIM_WASM_VERSION    2u
#define FSIM_WASM_HEADER     16u
#define FSIM_WASM_VALUES_MAX 10u
#define FSIM_WASM_TEXT_MAX   3900u
#define FSIM_WASM_FRAME_MAX  4096u
#define FSIM_WASM_NO_COUNT   UINT64_MAX /* instructions: cannot be counted here */

typedef enum fsim_wasm_type {
    FSIM_WASM_HELLO =
        1, /* to the worker: values below, text: cache folder; back: version, text: name of the runtime */
    FSIM_WASM_LOAD,     /* text: path of the module. again 1: compile even if the cache has it */
    FSIM_WASM_LOADED,   /* text: SHA-256 of the module */
    FSIM_WASM_START,    /* id */
    FSIM_WASM_READY,    /* id */
    FSIM_WASM_CALL,     /* id, call */
    FSIM_WASM_RESULT,   /* id, call; text: why it trapped */
    FSIM_WASM_EXITED,   /* id: what is left of an instance */
    FSIM_WASM_MEASURE,  /* starts inside one warm process, phase by phase */
    FSIM_WASM_PHASES,   /* call: round */
    FSIM_WASM_MEASURED, /* all rounds are done */
    FSIM_WASM_FAILED,   /* id, or 0: the last command; text: why */
    FSIM_WASM_KILL,     /* id: the instance ends at once, whatever it does; EXITED comes */
    FSIM_WASM_TYPE_END
} fsim_wasm_type;

/* Values by type. */
enum { /* HELLO to the worker; the answer holds VERSION alone, the rest 0 */
       FSIM_WASM_HELLO_VERSION,
       FSIM_WASM_HELLO_MEMORY_PAGES, /* of 64 KiB, at most */
       FSIM_WASM_HELLO_TABLE_ENTRIES,
       FSIM_WASM_HELLO_MODULE_BYTES,
       FSIM_WASM_HELLO_CPU_NS, /* of one call; of the first, with the start */
       FSIM_WASM_HELLO_WALL_NS,
       FSIM_WASM_HELLO_OUTPUT_BYTES, /* of one call */
       FSIM_WASM_HELLO_DATA_BYTES,   /* private memory of an instance's process */
       FSIM_WASM_HELLO_COMPILE_NS,   /* CPU time of the compiler */
       FSIM_WASM_HELLO_VERIFY        /* 1: time compiled code against the interpreter when loading */
};
enum { FSIM_WASM_LOAD_AGAIN };
enum {
    FSIM_WASM_LOADED_BYTES,
    FSIM_WASM_LOADED_COMPILE_NS, /* 0: from the cache */
    FSIM_WASM_LOADED_COMPILED_BYTES,
    FSIM_WASM_LOADED_SPEEDUP_MILLI, /* compiled over interpreted, x 1000; 0: not asked for or no interpreter
                                     */
    FSIM_WASM_LOADED_COUNTS         /* who counts instructions: 0 nobody, 1 the runtime, 2 the hardware */
};
enum { FSIM_WASM_READY_PID, FSIM_WASM_READY_FORKED_AT, FSIM_WASM_READY_AT };
enum {
    FSIM_WASM_RESULT_OUTCOME, /* fsim_wasm_outcome */
    FSIM_WASM_RESULT_BEGAN_AT,
    FSIM_WASM_RESULT_ENDED_AT,
    FSIM_WASM_RESULT_CPU_NS,
    FSIM_WASM_RESULT_INSTRUCTIONS, /* or FSIM_WASM_NO_COUNT */
    FSIM_WASM_RESULT_OUTPUT_BYTES,
    FSIM_WASM_RESULT_VALUE /* what the function gave; 0 if nothing */
};
enum {
    FSIM_WASM_EXITED_STATUS,
    FSIM_WASM_EXITED_CPU_NS,
    FSIM_WASM_EXITED_PEAK_BYTES,
    FSIM_WASM_EXITED_AT
}; /* status as of wait(2) */
enum {
    FSIM_WASM_MEASURE_ROUNDS,
    FSIM_WASM_MEASURE_COLD
}; /* cold: the file is dropped from the page cache each time */
enum {
    FSIM_WASM_PHASE_READ,
    FSIM_WASM_PHASE_PARSE,
    FSIM_WASM_PHASE_VALIDATE,
    FSIM_WASM_PHASE_INSTANTIATE,
    FSIM_WASM_PHASE_FIRST_CALL,
    FSIM_WASM_PHASE_COUNT
};
enum { FSIM_WASM_FAILED_STATUS }; /* fsim_status */

typedef enum fsim_wasm_outcome { FSIM_WASM_DONE, FSIM_WASM_TRAPPED } fsim_wasm_outcome;

typedef struct fsim_wasm_message {
    fsim_wasm_type type;
    uint32_t id, call;
    uint64_t value[FSIM_WASM_VALUES_MAX]; /* those beyond the type's number are 0 */
    char text[FSIM_WASM_TEXT_MAX + 1];
} fsim_wasm_message;

/* Number of values of a type; 0 for unknown ones. */
uint32_t fsim_wasm_value_count(fsim_wasm_type type);

/* Writes the frame into out; returns its length. A text beyond FSIM_WASM_TEXT_MAX is cut off. */
size_t fsim_wasm_encode(const fsim_wasm_message *message, uint8_t out[FSIM_WASM_FRAME_MAX]);

/* Reads the first frame of `size` bytes. *used: its length; 0: it is not complete yet. FSIM_EDATA: no such
 * frame, the stream is lost. */
fsim_status fsim_wasm_decode(const uint8_t *bytes, size_t size, fsim_wasm_message *out, size_t *used,
                             fsim_error *err);

#endif
