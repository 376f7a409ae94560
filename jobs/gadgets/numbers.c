#include "gadgets/numbers.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "field/m31.h"

enum { LONGEST_NUMBER = 63 };

typedef struct list {
    pr_number_kind kind;
    uint32_t *numbers;
    size_t n, capacity;
} list;

static bool append(list *l, uint32_t number) {
    if (l->n == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        uint32_t *numbers = realloc(l->numbers, capacity * sizeof *numbers);
        if (!numbers) return false;
        l->numbers = numbers;
        l->capacity = capacity;
    }
    l->numbers[l->n++] = number;
    return true;
}

static bool parse_single(uint32_t *out, const char *text) {
    char *end;
    float v = strtof(text, &end);
    memcpy(out, &v, sizeof v);
    return *end == 0 && isfinite(v);
}

static bool parse_integer(uint32_t *out, const char *text) {
    char *end;
    bool negative = *text == '-';
    const char *digits = text + negative;
    if (*digits < '0' || *digits > '9') return false;
    errno = 0;
    unsigned long long v = strtoull(digits, &end, strncmp(digits, "0x", 2) ? 10 : 16);
    *out = negative ? -(uint32_t)v : (uint32_t)v;
    return *end == 0 && !errno && v <= (negative ? UINT64_C(1) << 31 : UINT32_MAX);
}

static bool parse_number(uint32_t *out, pr_number_kind kind, const char *word, size_t length) {
    char text[LONGEST_NUMBER + 1];
    if (length > LONGEST_NUMBER) return false;
    memcpy(text, word, length);
    text[length] = 0;
    if (kind != PR_NUMBER_WORD)
        return *text != '-' && parse_integer(out, text) && *out <= (kind == PR_NUMBER_M31 ? PR_P - 1 : UINT8_MAX);
    if (strspn(text, "+-.0123456789eE") == length && strpbrk(text, ".eE")) return parse_single(out, text);
    return parse_integer(out, text);
}

static size_t length_of(const char *text, const char *end, const char *stops) {
    const char *at = text;
    while (at < end && *at && !strchr(stops, *at)) at++;
    return (size_t)(at - text);
}

static pr_status parse(list *l, const char *text, size_t size, const char *name, pr_error *err) {
    static const char *const kinds[] = {"a number of 32 bits", "a whole number from 0 to 2147483646",
                                        "a whole number from 0 to 255"};
    const char *end = text + size, *line_start = text;
    size_t line = 1;
    for (const char *at = text; at < end;) {
        if (*at == '\n') line++, line_start = at + 1;
        if (*at == ';' || *at == '#') {
            at += length_of(at, end, "\n");
            continue;
        }
        if (strchr(" \t\r\n,", *at) && *at) {
            at++;
            continue;
        }
        size_t length = length_of(at, end, " \t\r\n,;#");
        uint32_t number;
        if (!length || !parse_number(&number, l->kind, at, length))
            return pr_fail_at(err, PR_ERR_MALFORMED, name, line, (size_t)(at - line_start) + 1, "'%.*s' is not %s",
                              (int)(length < 40 ? length : 40), at, kinds[l->kind]);
        if (!append(l, number)) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the numbers");
        at += length;
    }
    return PR_OK;
}

pr_status pr_numbers_parse(uint32_t **numbers, size_t *n, pr_number_kind kind, const char *text, size_t size,
                           const char *name, pr_error *err) {
    list l = {.kind = kind};
    pr_status status = parse(&l, text, size, name, err);
    if (status == PR_OK)
        *numbers = l.numbers, *n = l.n;
    else
        free(l.numbers);
    return status;
}

pr_status pr_numbers_load(uint32_t **numbers, size_t *n, pr_number_kind kind, const char *path, size_t max_bytes,
                          pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    pr_error cause = {0};
    pr_status status = pr_file_read(&data, &size, path, max_bytes, &cause);
    if (status != PR_OK) return pr_fail(err, status == PR_ERR_MEMORY ? status : PR_ERR_INPUT, "%s", cause.text);
    status = pr_numbers_parse(numbers, n, kind, (const char *)data, size, path, err);
    free(data);
    return status;
}
