/* The expressions of --fail-if and of validity cases: recursive descent, no allocation.
 *
 *     comparison = sum [ ( ">" | "<" | ">=" | "<=" | "==" | "!=" ) sum ]
 *     sum        = product { ( "+" | "-" ) product }
 *     product    = factor { ( "*" | "/" ) factor }
 *     factor     = [ "-" ] ( number [ unit ] | path | "(" comparison ")" )
 *
 * A number with a unit of time is seconds: "latency_s.p99 > 20ms". */
#include "base/text.h"
#include "report/summary_json.h"
#include "report/summary_path_json.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 64

typedef struct parser {
    const json_t *summary;
    const char *cursor;
    int depth;
    fsim_error *err;
} parser;

static fsim_status comparison(parser *p, double *out);

static char peek(parser *p) {
    while (isspace((unsigned char)*p->cursor)) {
        p->cursor++;
    }
    return *p->cursor;
}

/* Digits, point, exponent, and the unit behind them: "12", "1e-3", "20ms". */
static fsim_status number(parser *p, double *out) {
    char text[64];
    size_t n = 0;
    bool unit = false;
    const char *start = p->cursor;
    for (char c = *start; n + 1 < sizeof text; c = start[n]) {
        bool exponent =
            !unit && (c == 'e' || c == 'E') &&
            (isdigit((unsigned char)start[n + 1]) ||
             ((start[n + 1] == '-' || start[n + 1] == '+') && isdigit((unsigned char)start[n + 2])));
        bool sign = (c == '-' || c == '+') && n > 0 && (start[n - 1] == 'e' || start[n - 1] == 'E') && !unit;
        if (!isalnum((unsigned char)c) && c != '.' && !sign) {
            break;
        }
        unit = unit || (isalpha((unsigned char)c) && !exponent);
        text[n++] = c;
    }
    text[n] = '\0';
    fsim_ns span;
    if (unit && fsim_text_parse_span(text, &span)) {
        *out = fsim_ns_to_s(span);
    } else if (unit || !fsim_text_parse_real(text, out)) {
        return fsim_fail(p->err, FSIM_ECONFIG, "found '%s', expected a number or a span such as 20ms", text);
    }
    p->cursor += n;
    return FSIM_OK;
}

static fsim_status path(parser *p, double *out) {
    const char *start = p->cursor;
    const json_t *value;
    FSIM_TRY(fsim_summary_walk(p->summary, &p->cursor, &value, p->err));
    if (!fsim_summary_value(value, out)) {
        return fsim_fail(p->err, FSIM_ECONFIG, "'%.*s' is no number; name one of the values in it",
                         (int)(p->cursor - start), start);
    }
    return FSIM_OK;
}

static fsim_status factor(parser *p, double *out) {
    char c = peek(p);
    if (c == '\0') {
        return fsim_fail(p->err, FSIM_ECONFIG, "the expression ends where a number or a path is expected");
    }
    if (isdigit((unsigned char)c) || c == '.') {
        return number(p, out);
    }
    if (c != '-' && c != '(') {
        return path(p, out);
    }
    if (++p->depth > DEPTH_MAX) {
        return fsim_fail(p->err, FSIM_ECONFIG, "nested more than %d deep", DEPTH_MAX);
    }
    p->cursor++;
    if (c == '-') {
        FSIM_TRY(factor(p, out));
        *out = -*out;
    } else {
        FSIM_TRY(comparison(p, out));
        if (peek(p) != ')') {
            return fsim_fail(p->err, FSIM_ECONFIG, "expected ')' before '%.20s'", p->cursor);
        }
        p->cursor++;
    }
    p->depth--;
    return FSIM_OK;
}

static fsim_status product(parser *p, double *out) {
    FSIM_TRY(factor(p, out));
    for (char c = peek(p); c == '*' || c == '/'; c = peek(p)) {
        double right;
        p->cursor++;
        FSIM_TRY(factor(p, &right));
        if (c == '/' && right == 0) {
            return fsim_fail(p->err, FSIM_ECONFIG, "division by zero");
        }
        *out = c == '*' ? *out * right : *out / right;
    }
    return FSIM_OK;
}

static fsim_status sum(parser *p, double *out) {
    FSIM_TRY(product(p, out));
    for (char c = peek(p); c == '+' || c == '-'; c = peek(p)) {
        double right;
        p->cursor++;
        FSIM_TRY(product(p, &right));
        *out = c == '+' ? *out + right : *out - right;
    }
    return FSIM_OK;
}

static fsim_status comparison(parser *p, double *out) {
    FSIM_TRY(sum(p, out));
    char c = peek(p);
    bool equal = c != '\0' && p->cursor[1] == '=';
    if (c != '<' && c != '>' && !((c == '=' || c == '!') && equal)) {
        return FSIM_OK;
    }
    p->cursor += equal ? 2 : 1;
    double left = *out, right;
    FSIM_TRY(sum(p, &right));
    bool same = left == right;
    bool yes = c == '<' ? left < right : c == '>' ? left > right : c == '!' ? !same : same;
    *out = yes || (equal && c != '!' && same) ? 1 : 0;
    return FSIM_OK;
}

fsim_status fsim_summary_eval(const json_t *summary, const char *expression, double *out, fsim_error *err) {
    fsim_error local = {0};
    parser p = {.summary = summary, .cursor = expression, .err = &local};
    double value = 0;
    fsim_status status = comparison(&p, &value);
    if (status == FSIM_OK && peek(&p) != '\0') {
        status = fsim_fail(&local, FSIM_ECONFIG, "unexpected '%.20s' at column %td", p.cursor,
                           p.cursor - expression + 1);
    }
    if (status == FSIM_OK && !isfinite(value)) {
        status = fsim_fail(&local, FSIM_ECONFIG, "the value is out of range");
    }
    if (status != FSIM_OK) {
        return fsim_fail_at(err, status, expression, "%s", local.text);
    }
    *out = value;
    return FSIM_OK;
}
