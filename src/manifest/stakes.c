#include "manifest/stakes.h"
#include "base/bytes.h"
#include "manifest/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)1 << 20)
#define MAX_RANK 999999u

typedef struct word {
    const char *text;
    size_t size, column; /* column: from 1 */
} word;

typedef struct parser {
    const char *file;
    uint32_t line;
    pr_error *err;
} parser;

static pr_status refuse(const parser *p, const word *w, const char *what, const char *allowed) {
    return pr_fail_at(p->err, PR_ERR_USAGE, p->file, p->line, w->column, "%s: `%.*s`; allowed: %s", what,
                      w->size < 70 ? (int)w->size : 70, w->text, allowed);
}

/* The next word of the line from *at on; of size 0 at its end. A # begins a comment. */
static word next_word(const char *line, size_t size, size_t *at) {
    while (*at < size && (line[*at] == ' ' || line[*at] == '\t' || line[*at] == '\r')) ++*at;
    word w = {line + *at, 0, *at + 1};
    if (*at < size && line[*at] == '#') *at = size;
    while (*at < size && line[*at] != ' ' && line[*at] != '\t' && line[*at] != '\r' && line[*at] != '#')
        ++*at, w.size++;
    return w;
}

/* Decimal digits alone; false: none, or above max. */
static bool read_number(uint64_t *out, const char *text, size_t size, uint64_t max) {
    *out = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *out > max) return false;
        *out = 10 * *out + (uint64_t)(text[i] - '0');
    }
    return size > 0 && *out <= max;
}

static bool read_key(uint8_t out[32], const word *w) {
    char digits[65];
    if (w->size != 66 || memcmp(w->text, "0x", 2) != 0) return false;
    memcpy(digits, w->text + 2, 64);
    digits[64] = 0;
    return pr_hex_decode(out, 32, digits);
}

static pr_status read_who(const parser *p, pr_stake *out, const word *w) {
    uint64_t rank;
    out->rank = -1;
    if (read_key(out->public_key, w)) return PR_OK;
    if (w->size <= 5 || memcmp(w->text, "rank-", 5) != 0 || !read_number(&rank, w->text + 5, w->size - 5, MAX_RANK))
        return refuse(p, w, "validator", "rank-N, or a public key of 0x and 64 hex digits");
    out->rank = (int32_t)rank;
    return PR_OK;
}

static pr_status add(const parser *p, pr_stakes *s, const pr_stake *new, const word *who) {
    for (uint32_t i = 0; i < s->n; i++) {
        const pr_stake *old = &s->items[i];
        bool same = new->rank >= 0 ? old->rank == new->rank
                                   : old->rank < 0 && memcmp(old->public_key, new->public_key, 32) == 0;
        if (same)
            return pr_fail_at(p->err, PR_ERR_USAGE, p->file, p->line, who->column,
                              "`%.*s` has a stake already, in line %u; allowed: one line a validator", (int)who->size,
                              who->text, old->line);
    }
    pr_stake *grown = realloc(s->items, (s->n + 1) * sizeof *grown);
    if (!grown) return pr_fail(p->err, PR_ERR_MEMORY, "out of memory for %u stakes", s->n + 1);
    s->items = grown;
    s->items[s->n++] = *new;
    return PR_OK;
}

static pr_status read_line(const parser *p, pr_stakes *s, const char *line, size_t size) {
    size_t at = 0;
    pr_stake new = {.line = p->line};
    word who = next_word(line, size, &at);
    if (who.size == 0) return PR_OK;
    word amount = next_word(line, size, &at), rest = next_word(line, size, &at);
    PR_TRY(read_who(p, &new, &who));
    if (!read_number(&new.stake, amount.text, amount.size, PR_STAKES_MAX) || new.stake == 0)
        return refuse(p, &amount, "stake", "a whole number from 1 to 1000000000000000");
    if (rest.size) return refuse(p, &rest, "a third word", "`rank-N STAKE` or `0xKEY STAKE`");
    return add(p, s, &new, &who);
}

static pr_status read_lines(parser *p, pr_stakes *s, const char *text, size_t size) {
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        p->line++;
        PR_TRY(read_line(p, s, text + at, length));
        at += length + 1;
    }
    if (s->n > 0) return PR_OK;
    return pr_fail_at(p->err, PR_ERR_USAGE, p->file, 1, 1, "no stakes; allowed: a line `rank-N STAKE` a validator");
}

pr_status pr_stakes_parse(pr_stakes *out, const char *text, size_t size, const char *file, pr_error *err) {
    parser p = {file, 0, err};
    *out = (pr_stakes){0};
    pr_status status = read_lines(&p, out, text, size);
    if (status != PR_OK) pr_stakes_clear(out);
    return status;
}

static pr_status parse(void *out, const char *text, size_t size, const char *file, pr_error *err) {
    return pr_stakes_parse(out, text, size, file, err);
}

pr_status pr_stakes_load(pr_stakes *out, const char *path, pr_error *err) {
    return pr_text_load(out, parse, path, MAX_BYTES, err);
}

void pr_stakes_clear(pr_stakes *s) {
    free(s->items);
    *s = (pr_stakes){0};
}
