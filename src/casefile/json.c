#include "casefile/json.h"
#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

static const char *text_at(const pr_case_cursor *at) { return at->doc->tape->text + at->value.begin; }
static size_t token_size(const pr_case_cursor *at) { return pr_case_token_size(at->doc->tape, at->value.begin); }

static void set_entry(pr_case_cursor *at, uint32_t entry) {
    at->entry = entry;
    at->value = at->doc->tape->values[entry];
}

pr_case_cursor pr_case_root(const pr_case_doc *doc) {
    pr_case_cursor root = {.doc = doc};
    set_entry(&root, 0);
    return root;
}

static bool key_is(const pr_case_tape *tape, uint32_t entry, const char *key, size_t n) {
    const char *found = tape->text + tape->values[entry].begin + 1;
    size_t left = tape->size - tape->values[entry].begin - 1;
    return left > n && memcmp(found, key, n) == 0 && found[n] == '"';
}

pr_case_cursor pr_case_member(const pr_case_cursor *object, const char *key) {
    const pr_case_tape *tape = object->doc->tape;
    pr_case_cursor member = {.doc = object->doc, .up = object, .key = key};
    size_t n = strlen(key);
    if (!pr_case_is(object, PR_CASE_OBJECT)) return member;
    for (uint32_t i = 0, entry = object->entry + 1; i < object->value.n; i++, entry = tape->values[entry + 1].next) {
        if (!key_is(tape, entry, key, n)) continue;
        set_entry(&member, entry + 1);
        break;
    }
    return member;
}

pr_case_cursor pr_case_only_member(const pr_case_cursor *object, char *key, size_t key_size) {
    pr_case_cursor member = {.doc = object->doc, .up = object, .key = key};
    const pr_case_tape *tape = object->doc->tape;
    size_t begin = tape->values[object->entry + 1].begin, n = pr_case_token_size(tape, begin) - 2;
    snprintf(key, key_size, "%.*s", (int)(n < key_size ? n : key_size - 1), tape->text + begin + 1);
    set_entry(&member, object->entry + 2);
    return member;
}

static void set_word(pr_case_cursor *at, size_t begin) {
    at->value = (pr_case_value){.begin = begin & PR_CASE_BEGIN_MASK, .kind = PR_CASE_NUMBER};
}

pr_case_cursor pr_case_first(const pr_case_cursor *array) {
    pr_case_cursor element = {.doc = array->doc, .up = array};
    if (pr_case_is(array, PR_CASE_WORDS))
        set_word(&element, pr_case_first_word(array->doc->tape, array->value.begin));
    else if (pr_case_is(array, PR_CASE_ARRAY) && array->value.n)
        set_entry(&element, array->entry + 1);
    return element;
}

void pr_case_step(pr_case_cursor *element) {
    const pr_case_cursor *array = element->up;
    if (++element->index >= array->value.n)
        element->value = (pr_case_value){.kind = PR_CASE_ABSENT};
    else if (pr_case_is(array, PR_CASE_WORDS))
        set_word(element, pr_case_next_word(element->doc->tape, element->value.begin));
    else
        set_entry(element, element->value.next);
}

pr_case_cursor pr_case_element(const pr_case_cursor *array, size_t index) {
    pr_case_cursor element = pr_case_first(array);
    while (element.index < index) pr_case_step(&element);
    return element;
}

static void cursor_path(pr_case_path *path, const pr_case_cursor *at) {
    if (!at->up) {
        pr_case_path_init(path);
        return;
    }
    cursor_path(path, at->up);
    if (at->key)
        pr_case_path_key(path, at->key, strlen(at->key));
    else
        pr_case_path_index(path, at->index);
}

/* ---- refusals ---- */

pr_status pr_case_blame(const pr_case_cursor *at) {
    pr_case_path path;
    size_t line, column;
    const pr_case_cursor *there = at;
    cursor_path(&path, at);
    while (!pr_case_has(there) && there->up) there = there->up;
    pr_case_position(&line, &column, at->doc->tape->text, there->value.begin);
    return pr_fail_context(at->doc->err, "%s:%zu:%zu: %s", at->doc->file, line, column, path.text);
}

pr_status pr_case_refuse(const pr_case_cursor *at, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pr_fail(at->doc->err, PR_ERR_USAGE, "%s", text);
    return at->doc->err ? pr_case_blame(at) : PR_ERR_USAGE;
}

static void describe(char *out, size_t size, const pr_case_cursor *at) {
    enum { LONGEST = 40 };
    size_t n;
    switch ((pr_case_kind)at->value.kind) {
    case PR_CASE_NUMBER:
    case PR_CASE_TEXT:
        n = token_size(at);
        snprintf(out, size, "%.*s%s", (int)(n < LONGEST ? n : LONGEST), text_at(at), n > LONGEST ? "..." : "");
        return;
    case PR_CASE_WORDS:
    case PR_CASE_ARRAY:
        snprintf(out, size, "an array of %u", at->value.n);
        return;
    case PR_CASE_OBJECT:
        snprintf(out, size, "an object of %u members", at->value.n);
        return;
    case PR_CASE_NULL:
    case PR_CASE_FALSE:
    case PR_CASE_TRUE:
        snprintf(out, size, "%s",
                 pr_case_is(at, PR_CASE_NULL)   ? "null"
                 : pr_case_is(at, PR_CASE_TRUE) ? "true"
                                                : "false");
        return;
    case PR_CASE_ABSENT:
        break;
    }
    snprintf(out, size, "nothing");
}

pr_status pr_case_refuse_kind(const pr_case_cursor *at, const char *expected) {
    char found[64];
    describe(found, sizeof found, at);
    return pr_case_refuse(at, "must be %s, found %s", expected, found);
}

pr_status pr_case_no_memory(const pr_case_doc *doc) {
    return pr_fail_at(doc->err, PR_ERR_MEMORY, doc->file, 0, 0, "out of memory");
}

/* ---- objects ---- */

static bool is_listed(const pr_case_tape *tape, uint32_t entry, const char *const *list) {
    for (; *list; list++)
        if (key_is(tape, entry, *list, strlen(*list))) return true;
    return false;
}

static void list_keys(char *out, size_t size, const char *const *list) {
    for (; *list; list++) {
        size_t n = strlen(out);
        snprintf(out + n, size - n, "%s%s", n ? ", " : "", *list);
    }
}

static pr_status refuse_key(const pr_case_cursor *at, uint32_t entry, const char *const *required,
                            const char *const *optional) {
    char allowed[256] = "", key[64];
    const pr_case_tape *tape = at->doc->tape;
    size_t begin = tape->values[entry].begin, n = pr_case_token_size(tape, begin) - 2;
    snprintf(key, sizeof key, "%.*s", (int)(n < sizeof key ? n : sizeof key - 1), tape->text + begin + 1);
    list_keys(allowed, sizeof allowed, required);
    list_keys(allowed, sizeof allowed, optional);
    pr_case_cursor unknown = {.doc = at->doc, .up = at, .key = key};
    set_entry(&unknown, entry);
    return pr_case_refuse(&unknown, "unknown key; allowed: %s", allowed);
}

pr_status pr_case_keys(const pr_case_cursor *at, const char *const *required, const char *const *optional) {
    const pr_case_tape *tape = at->doc->tape;
    if (!pr_case_is(at, PR_CASE_OBJECT)) return pr_case_refuse_kind(at, "an object");
    for (uint32_t i = 0, entry = at->entry + 1; i < at->value.n; i++, entry = tape->values[entry + 1].next)
        if (!is_listed(tape, entry, required) && !is_listed(tape, entry, optional))
            return refuse_key(at, entry, required, optional);
    for (; *required; required++) {
        pr_case_cursor member = pr_case_member(at, *required);
        if (!pr_case_has(&member)) return pr_case_refuse(at, "the key \"%s\" is missing", *required);
    }
    return PR_OK;
}

/* ---- numbers ---- */

static bool all_digits(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return true;
}

static pr_status refuse_number(const pr_case_cursor *at, uint64_t max) {
    char expected[64];
    snprintf(expected, sizeof expected, "a whole number of 0 to %llu", (unsigned long long)max);
    return pr_case_refuse_kind(at, expected);
}

pr_status pr_case_u64(const pr_case_cursor *at, uint64_t max, uint64_t *out) {
    if (!pr_case_is(at, PR_CASE_NUMBER)) return refuse_number(at, max);
    size_t n = token_size(at);
    if (!all_digits(text_at(at), n) || !pr_case_parse_digits(text_at(at), n, max, out)) return refuse_number(at, max);
    return PR_OK;
}

pr_status pr_case_u32(const pr_case_cursor *at, uint32_t max, uint32_t *out) {
    uint64_t v = 0;
    PR_TRY(pr_case_u64(at, max, &v));
    *out = (uint32_t)v;
    return PR_OK;
}

pr_status pr_case_i32(const pr_case_cursor *at, int32_t *out) {
    uint64_t v = 0;
    bool is_number = pr_case_is(at, PR_CASE_NUMBER), negative = is_number && *text_at(at) == '-';
    size_t n = is_number ? token_size(at) - negative : 0;
    if (!is_number || !all_digits(text_at(at) + negative, n) ||
        !pr_case_parse_digits(text_at(at) + negative, n, (uint64_t)INT32_MAX + negative, &v))
        return pr_case_refuse_kind(at, "a whole number of 32 bits with a sign");
    *out = (int32_t)(negative ? -(int64_t)v : (int64_t)v);
    return PR_OK;
}

pr_status pr_case_m31(const pr_case_cursor *at, pr_m31 *out) { return pr_case_u32(at, PR_P - 1, out); }

/* ---- texts ---- */

static uint32_t hex4(const char *s) {
    uint8_t bytes[2] = {0};
    char digits[5] = {s[0], s[1], s[2], s[3], 0};
    (void)pr_hex_decode(bytes, 2, digits);
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static char *put_utf8(char *out, uint32_t code) {
    static const uint32_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    int n = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3; /* bytes behind the first */
    *out++ = (char)(heads[n] | code >> 6 * n);
    while (n-- > 0) *out++ = (char)(0x80 | (code >> 6 * n & 0x3f));
    return out;
}

/* The escape at s, which the parser found well-formed; moves s behind it. */
static char *put_escape(char *out, const char **s) {
    static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    char c = (*s)[1];
    if (c != 'u') {
        *out++ = codes[strchr(names, c) - names];
        *s += 2;
        return out;
    }
    uint32_t code = hex4(*s + 2);
    *s += 6;
    if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(*s + 2) - 0xdc00);
        *s += 6;
    }
    return put_utf8(out, code);
}

pr_status pr_case_text(const pr_case_cursor *at, char **out) {
    if (!pr_case_is(at, PR_CASE_TEXT)) return pr_case_refuse_kind(at, "a text");
    size_t n = token_size(at) - 2;
    const char *s = text_at(at) + 1, *end = s + n;
    char *copy = malloc(n + 1), *to = copy;
    if (!copy) return pr_case_no_memory(at->doc);
    while (s < end)
        if (*s == '\\')
            to = put_escape(to, &s);
        else
            *to++ = *s++;
    *to = 0;
    *out = copy;
    return PR_OK;
}

bool pr_case_text_is(const pr_case_cursor *at, const char *text) {
    return pr_case_is(at, PR_CASE_TEXT) && key_is(at->doc->tape, at->entry, text, strlen(text));
}

pr_status pr_case_hex(const pr_case_cursor *at, uint8_t *out, size_t n) {
    char digits[2 * 64 + 1], expected[32];
    snprintf(expected, sizeof expected, "a text of %zu hex digits", 2 * n);
    PR_ASSERT(2 * n < sizeof digits);
    if (!pr_case_is(at, PR_CASE_TEXT) || token_size(at) != 2 * n + 2) return pr_case_refuse_kind(at, expected);
    memcpy(digits, text_at(at) + 1, 2 * n);
    digits[2 * n] = 0;
    return pr_hex_decode(out, n, digits) ? PR_OK : pr_case_refuse_kind(at, expected);
}

/* ---- arrays ---- */

pr_status pr_case_array(const pr_case_cursor *at, uint32_t *n) {
    if (!pr_case_is(at, PR_CASE_ARRAY) && !pr_case_is(at, PR_CASE_WORDS)) return pr_case_refuse_kind(at, "an array");
    if (at->value.n > INT32_MAX) return pr_case_refuse(at, "has too many elements");
    *n = at->value.n;
    return PR_OK;
}

pr_status pr_case_array_of(const pr_case_cursor *at, uint32_t n) {
    uint32_t found = 0;
    PR_TRY(pr_case_array(at, &found));
    if (found != n) return pr_case_refuse(at, "has %u elements, must have %u", found, n);
    return PR_OK;
}

/* The element that is not one of 0 .. max, or none that the array is of such. */
static pr_status refuse_word(const pr_case_cursor *at, uint32_t max) {
    uint32_t ignored;
    pr_case_cursor element = pr_case_first(at);
    for (; pr_case_has(&element); pr_case_step(&element)) PR_TRY(pr_case_u32(&element, max, &ignored));
    return PR_OK;
}

pr_status pr_case_fill_words(const pr_case_cursor *at, uint32_t max, uint32_t *out, uint32_t n) {
    if (!pr_case_is(at, PR_CASE_WORDS)) return refuse_word(at, max);
    const char *s = at->doc->tape->text + pr_case_first_word(at->doc->tape, at->value.begin);
    for (uint32_t i = 0; i < n; i++) {
        const char *first = s;
        uint64_t v = 0;
        while (*s >= '0' && *s <= '9' && s - first < 11) v = 10 * v + (uint64_t)(*s++ - '0');
        if (v > max) return refuse_word(at, max);
        out[i] = (uint32_t)v;
        while ((*s < '0' || *s > '9') && *s != ']') s++;
    }
    return PR_OK;
}

pr_status pr_case_words(const pr_case_cursor *at, uint32_t max, uint32_t **out, uint32_t *n) {
    PR_TRY(pr_case_array(at, n));
    uint32_t *words = pr_case_alloc(*n, sizeof *words);
    if (!words) return pr_case_no_memory(at->doc);
    pr_status status = pr_case_fill_words(at, max, words, *n);
    if (status == PR_OK)
        *out = words;
    else
        free(words);
    return status;
}

/* ---- any value ---- */

pr_status pr_case_compact(const pr_case_cursor *at, char **out) {
    const pr_case_tape *tape = at->doc->tape;
    size_t begin = at->value.begin, end = pr_case_value_end(tape, &at->value), n = 0;
    char *text = malloc(end - begin + 1);
    if (!text) return pr_case_no_memory(at->doc);
    while (begin < end) {
        char c = tape->text[begin];
        size_t piece = c == '"' ? pr_case_token_size(tape, begin) : 1;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            memcpy(text + n, tape->text + begin, piece);
            n += piece;
        }
        begin += piece;
    }
    text[n] = 0;
    *out = text;
    return PR_OK;
}

void *pr_case_alloc(size_t n, size_t size) { return calloc(n ? n : 1, size); }
