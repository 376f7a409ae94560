#include "vm/input.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "vm/isa.h"

enum { LONGEST_NUMBER = 63 };

typedef struct input {
    uint32_t *words;
    size_t n, capacity;
} input;

static bool append(input *in, uint32_t word) {
    if (in->n == in->capacity) {
        size_t capacity = in->capacity ? 2 * in->capacity : 256;
        uint32_t *words = realloc(in->words, capacity * sizeof *words);
        if (!words) return false;
        in->words = words;
        in->capacity = capacity;
    }
    in->words[in->n++] = word;
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

static bool parse_word(uint32_t *out, const char *word, size_t length) {
    char text[LONGEST_NUMBER + 1];
    if (length > LONGEST_NUMBER) return false;
    memcpy(text, word, length);
    text[length] = 0;
    if (strspn(text, "+-.0123456789eE") == length && strpbrk(text, ".eE")) return parse_single(out, text);
    return parse_integer(out, text);
}

static size_t length_of(const char *text, const char *end, const char *stops) {
    const char *at = text;
    while (at < end && *at && !strchr(stops, *at)) at++;
    return (size_t)(at - text);
}

static pr_status parse(input *in, const char *text, size_t size, const char *name, pr_error *err) {
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
        uint32_t word;
        if (!length || !parse_word(&word, at, length))
            return pr_fail_at(err, PR_ERR_MALFORMED, name, line, (size_t)(at - line_start) + 1,
                              "'%.*s' is not a number of 32 bits", (int)(length < 40 ? length : 40), at);
        if (!append(in, word)) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the inputs");
        at += length;
    }
    return PR_OK;
}

pr_status pr_vm_input_parse(uint32_t **words, size_t *n, const char *text, size_t size, const char *name,
                            pr_error *err) {
    input in = {0};
    pr_status status = parse(&in, text, size, name, err);
    if (status == PR_OK)
        *words = in.words, *n = in.n;
    else
        free(in.words);
    return status;
}

pr_status pr_vm_input_load(uint32_t **words, size_t *n, const char *path, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    pr_error cause = {0};
    pr_status status = pr_file_read(&data, &size, path, PR_VM_MAX_FILE, &cause);
    if (status != PR_OK) return pr_fail(err, status == PR_ERR_MEMORY ? status : PR_ERR_INPUT, "%s", cause.text);
    status = pr_vm_input_parse(words, n, (const char *)data, size, path, err);
    free(data);
    return status;
}
