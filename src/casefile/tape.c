#include "casefile/tape.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths and positions ---- */

void pr_case_path_init(pr_case_path *path) {
    path->text[0] = '$';
    path->text[1] = 0;
    path->size = 1;
}

static void path_append(pr_case_path *path, const char *text, size_t size) {
    for (size_t i = 0; i < size && path->size + 1 < sizeof path->text; i++) {
        char c = text[i];
        path->text[path->size++] = c >= ' ' && c <= '~' ? c : '?';
    }
    path->text[path->size] = 0;
}

void pr_case_path_key(pr_case_path *path, const char *key, size_t size) {
    path_append(path, ".", 1);
    path_append(path, key, size);
}

void pr_case_path_index(pr_case_path *path, size_t index) {
    char text[32];
    int n = snprintf(text, sizeof text, "[%zu]", index);
    path_append(path, text, (size_t)n);
}

void pr_case_position(size_t *line, size_t *column, const char *text, size_t offset) {
    size_t last = 0;
    *line = 1;
    for (const char *p = text; (p = memchr(p, '\n', offset - (size_t)(p - text))); ++*line) last = (size_t)(++p - text);
    *column = offset - last + 1;
}

/* ---- the parser ---- */

typedef struct frame {
    const char *key; /* NULL: an array */
    size_t key_size, index;
} frame;

typedef struct parser {
    pr_case_tape *tape;
    const char *text, *file;
    size_t at, size;
    pr_error *err;
    size_t depth;
    frame frames[PR_CASE_MAX_DEPTH];
} parser;

static pr_status refuse(const parser *p, size_t offset, const char *what) {
    pr_case_path path;
    size_t line, column;
    pr_case_path_init(&path);
    for (size_t i = 0; i < p->depth; i++) {
        const frame *f = &p->frames[i];
        if (f->key)
            pr_case_path_key(&path, f->key, f->key_size);
        else
            pr_case_path_index(&path, f->index);
    }
    pr_case_position(&line, &column, p->text, offset);
    return pr_fail_at(p->err, PR_ERR_USAGE, p->file, line, column, "%s: %s", path.text, what);
}

/* What is there instead of what was expected. */
static pr_status refuse_byte(const parser *p, const char *expected) {
    char text[160];
    unsigned char c = p->at < p->size ? (unsigned char)p->text[p->at] : 0;
    if (p->at >= p->size)
        snprintf(text, sizeof text, "expected %s, found the end of the text", expected);
    else if (c > ' ' && c <= '~')
        snprintf(text, sizeof text, "expected %s, found '%c'", expected, c);
    else
        snprintf(text, sizeof text, "expected %s, found byte 0x%02x", expected, c);
    return refuse(p, p->at, text);
}

static void skip_space(parser *p) {
    while (p->at < p->size) {
        char c = p->text[p->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
        p->at++;
    }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* An entry without its `next`; its number in *index. */
static pr_status push(parser *p, size_t *index, pr_case_kind kind, size_t begin) {
    pr_case_tape *t = p->tape;
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 256;
        if (t->n >= UINT32_MAX / 2) return refuse(p, begin, "more than 2^31 values");
        pr_case_value *grown = realloc(t->values, capacity * sizeof *grown);
        if (!grown) return pr_fail(p->err, PR_ERR_MEMORY, "%s: out of memory", p->file);
        t->values = grown;
        t->capacity = capacity;
    }
    *index = t->n++;
    t->values[*index] = (pr_case_value){.begin = begin & PR_CASE_BEGIN_MASK, .kind = kind, .next = (uint32_t)t->n};
    return PR_OK;
}

/* Bytes of the UTF-8 sequence at s; 0: none (surrogates and overlong forms are none). */
static size_t utf8_length(const unsigned char *s, size_t n) {
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0xffu >> (length + 1));
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < length) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    static const uint32_t least[] = {0x80, 0x800, 0x10000};
    return code < least[length - 2] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

static bool read_hex4(const char *s, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        uint32_t v = is_digit(c)            ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
        if (v == 16) return false;
        *out = *out << 4 | v;
    }
    return true;
}

/* Bytes of the escape at s; 0: none, or one for a zero character or half a surrogate pair. */
static size_t escape_length(const char *s, size_t n) {
    uint32_t high, low;
    if (n < 2) return 0;
    if (s[1] != 'u') return strchr("\"\\/bfnrt", s[1]) && s[1] ? 2 : 0;
    if (n < 6 || !read_hex4(s + 2, &high) || high == 0 || (high >= 0xdc00 && high < 0xe000)) return 0;
    if (high < 0xd800 || high >= 0xe000) return 6;
    return n >= 12 && s[6] == '\\' && s[7] == 'u' && read_hex4(s + 8, &low) && low >= 0xdc00 && low < 0xe000 ? 12 : 0;
}

/* From the opening quote to behind the closing one. */
static pr_status parse_text(parser *p) {
    p->at++;
    while (p->at < p->size) {
        unsigned char c = (unsigned char)p->text[p->at];
        size_t n = 1;
        if (c == '"') {
            p->at++;
            return PR_OK;
        }
        if (c == '\\')
            n = escape_length(p->text + p->at, p->size - p->at);
        else if (c >= 0x80)
            n = utf8_length((const unsigned char *)p->text + p->at, p->size - p->at);
        else if (c < ' ')
            n = 0;
        if (!n) return refuse_byte(p, "a character of a text (UTF-8; no control characters, \\u0000 or half pairs)");
        p->at += n;
    }
    return refuse_byte(p, "'\"' at the end of a text");
}

/* RFC 8259, section 6. */
static pr_status parse_number(parser *p) {
    const char *expected = "a digit";
    p->at += p->text[p->at] == '-';
    size_t begin = p->at;
    while (p->at < p->size && is_digit(p->text[p->at])) p->at++;
    if (p->at == begin) return refuse_byte(p, expected);
    if (p->text[begin] == '0' && p->at > begin + 1) return refuse(p, begin, "a number must not begin with 0");
    if (p->at < p->size && p->text[p->at] == '.') {
        begin = ++p->at;
        while (p->at < p->size && is_digit(p->text[p->at])) p->at++;
        if (p->at == begin) return refuse_byte(p, expected);
    }
    if (p->at < p->size && (p->text[p->at] | 0x20) == 'e') {
        p->at++;
        if (p->at < p->size && (p->text[p->at] == '+' || p->text[p->at] == '-')) p->at++;
        begin = p->at;
        while (p->at < p->size && is_digit(p->text[p->at])) p->at++;
        if (p->at == begin) return refuse_byte(p, expected);
    }
    return PR_OK;
}

static pr_status parse_name(parser *p, const char *name) {
    size_t n = strlen(name);
    if (p->size - p->at < n || memcmp(p->text + p->at, name, n) != 0) return refuse_byte(p, "a value");
    p->at += n;
    return PR_OK;
}

/* Behind a '[': true and behind the ']' when all elements are numbers of digits alone, of which *n are there; else
 * nothing has moved, and the slow way says what is there. */
static bool parse_words(parser *p, uint32_t *n) {
    const char *s = p->text, *end = p->text + p->size, *at = s + p->at;
    for (*n = 1;; ++*n) {
        while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
        const char *first = at;
        while (at < end && is_digit(*at)) at++;
        if (at == first || (*first == '0' && at > first + 1)) return false;
        while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
        if (at == end || *n == INT32_MAX) return false;
        if (*at == ']') break;
        if (*at++ != ',') return false;
    }
    p->at = (size_t)(at + 1 - s);
    return true;
}

static pr_status parse_value(parser *p);

static pr_status parse_array(parser *p, size_t index) {
    uint32_t n = 0;
    p->at++;
    if (parse_words(p, &n)) {
        p->tape->values[index].kind = PR_CASE_WORDS;
        p->tape->values[index].n = n;
        return PR_OK;
    }
    n = 0;
    skip_space(p);
    if (p->depth == PR_CASE_MAX_DEPTH) return refuse(p, p->at, "values nest more than 64 deep");
    frame *f = &p->frames[p->depth++];
    *f = (frame){0};
    if (p->at < p->size && p->text[p->at] == ']')
        p->at++;
    else
        for (bool more = true; more; n++) {
            f->index = n;
            PR_TRY(parse_value(p));
            skip_space(p);
            more = p->at < p->size && p->text[p->at] == ',';
            if (!more && (p->at == p->size || p->text[p->at] != ']')) return refuse_byte(p, "',' or ']'");
            p->at++;
        }
    p->depth--;
    p->tape->values[index].n = n;
    return PR_OK;
}

/* The key's entry, its frame, and the colon. members: of this object so far, as pairs of key and size. */
static pr_status parse_key(parser *p, frame *f, frame *members, uint32_t n) {
    size_t index, begin;
    skip_space(p);
    begin = p->at;
    if (p->at == p->size || p->text[p->at] != '"') return refuse_byte(p, "a key in quotes");
    PR_TRY(push(p, &index, PR_CASE_TEXT, begin));
    PR_TRY(parse_text(p));
    *f = (frame){.key = p->text + begin + 1, .key_size = p->at - begin - 2};
    if (memchr(f->key, '\\', f->key_size)) return refuse(p, begin, "a key must be written without escapes");
    if (n == PR_CASE_MAX_MEMBERS) return refuse(p, begin, "an object has more than 64 members");
    for (uint32_t i = 0; i < n; i++)
        if (members[i].key_size == f->key_size && memcmp(members[i].key, f->key, f->key_size) == 0)
            return refuse(p, begin, "duplicate object key");
    members[n] = *f;
    skip_space(p);
    if (p->at == p->size || p->text[p->at] != ':') return refuse_byte(p, "':'");
    p->at++;
    return PR_OK;
}

static pr_status parse_object(parser *p, size_t index) {
    frame members[PR_CASE_MAX_MEMBERS];
    uint32_t n = 0;
    p->at++;
    skip_space(p);
    if (p->depth == PR_CASE_MAX_DEPTH) return refuse(p, p->at, "values nest more than 64 deep");
    frame *f = &p->frames[p->depth++];
    *f = (frame){.key = ""};
    if (p->at < p->size && p->text[p->at] == '}')
        p->at++;
    else
        for (bool more = true; more; n++) {
            PR_TRY(parse_key(p, f, members, n));
            PR_TRY(parse_value(p));
            skip_space(p);
            more = p->at < p->size && p->text[p->at] == ',';
            if (!more && (p->at == p->size || p->text[p->at] != '}')) return refuse_byte(p, "',' or '}'");
            p->at++;
        }
    p->depth--;
    p->tape->values[index].n = n;
    return PR_OK;
}

static pr_status parse_by_kind(parser *p, size_t index, char c) {
    switch (c) {
    case '{':
        return parse_object(p, index);
    case '[':
        return parse_array(p, index);
    case '"':
        return parse_text(p);
    case 'n':
        return parse_name(p, "null");
    case 't':
        return parse_name(p, "true");
    case 'f':
        return parse_name(p, "false");
    default:
        return c == '-' || is_digit(c) ? parse_number(p) : refuse_byte(p, "a value");
    }
}

static pr_case_kind kind_of(char c) {
    switch (c) {
    case '{':
        return PR_CASE_OBJECT;
    case '[':
        return PR_CASE_ARRAY;
    case '"':
        return PR_CASE_TEXT;
    case 'n':
        return PR_CASE_NULL;
    case 't':
        return PR_CASE_TRUE;
    case 'f':
        return PR_CASE_FALSE;
    default:
        return PR_CASE_NUMBER;
    }
}

static pr_status parse_value(parser *p) {
    size_t index;
    skip_space(p);
    if (p->at == p->size) return refuse_byte(p, "a value");
    char c = p->text[p->at];
    PR_TRY(push(p, &index, kind_of(c), p->at));
    PR_TRY(parse_by_kind(p, index, c));
    p->tape->values[index].next = (uint32_t)p->tape->n;
    return PR_OK;
}

static pr_status parse_all(parser *p) {
    PR_TRY(parse_value(p));
    skip_space(p);
    return p->at == p->size ? PR_OK : refuse_byte(p, "the end of the text");
}

pr_status pr_case_tape_init(pr_case_tape *tape, const char *text, size_t size, const char *file, pr_error *err) {
    parser p = {.tape = tape, .text = text, .file = file, .size = size, .err = err};
    *tape = (pr_case_tape){.text = text, .size = size};
    pr_status status = parse_all(&p);
    if (status != PR_OK) pr_case_tape_clear(tape);
    return status;
}

void pr_case_tape_clear(pr_case_tape *tape) {
    free(tape->values);
    *tape = (pr_case_tape){0};
}

/* ---- tokens of a text that has been parsed ---- */

size_t pr_case_token_size(const pr_case_tape *tape, size_t begin) {
    const char *s = tape->text + begin, *at = s + 1, *end = tape->text + tape->size;
    if (*s == '"') {
        while (*at != '"') at += *at == '\\' ? 2 : 1;
        return (size_t)(at + 1 - s);
    }
    while (at < end && (is_digit(*at) || *at == '.' || *at == '-' || *at == '+' || (*at | 0x20) == 'e')) at++;
    return (size_t)(at - s);
}

static size_t to_word(const char *text, size_t at) {
    while (!is_digit(text[at]) && text[at] != ']') at++;
    return at;
}

size_t pr_case_first_word(const pr_case_tape *tape, size_t begin) { return to_word(tape->text, begin + 1); }

size_t pr_case_next_word(const pr_case_tape *tape, size_t begin) {
    while (is_digit(tape->text[begin])) begin++;
    return to_word(tape->text, begin);
}

bool pr_case_parse_digits(const char *text, size_t n, uint64_t max, uint64_t *out) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (v > (max - digit) / 10 || digit > max) return false;
        v = 10 * v + digit;
    }
    *out = v;
    return true;
}

size_t pr_case_value_end(const pr_case_tape *tape, const pr_case_value *value) {
    static const size_t names[] = {[PR_CASE_NULL] = 4, [PR_CASE_FALSE] = 5, [PR_CASE_TRUE] = 4};
    size_t at = value->begin;
    if (value->kind == PR_CASE_NUMBER || value->kind == PR_CASE_TEXT) return at + pr_case_token_size(tape, at);
    if (value->kind <= PR_CASE_TRUE) return at + names[value->kind];
    if (value->kind == PR_CASE_WORDS)
        return at + (size_t)((const char *)memchr(tape->text + at, ']', tape->size - at) - (tape->text + at)) + 1;
    for (size_t depth = 0; at < tape->size;) {
        char c = tape->text[at];
        if (c == '"') {
            at += pr_case_token_size(tape, at);
            continue;
        }
        at++;
        depth += c == '[' || c == '{';
        if ((c == ']' || c == '}') && --depth == 0) break;
    }
    return at;
}
