#include "casefile/scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson gives up at this depth, too. */
#define MAX_DEPTH 2048

typedef struct frame {
    bool is_array, wants_key;
    size_t index; /* array: the element we are in */
    const char *key;
    size_t key_size; /* object: the member we are in */
} frame;

typedef struct walker {
    const char *text;
    size_t size, at;
    size_t depth;
    frame frames[MAX_DEPTH];
} walker;

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

static void walker_path(pr_case_path *path, const walker *w) {
    pr_case_path_init(path);
    for (size_t i = 0; i < w->depth; i++) {
        const frame *f = &w->frames[i];
        if (f->is_array)
            pr_case_path_index(path, f->index);
        else if (f->key)
            pr_case_path_key(path, f->key, f->key_size);
    }
}

/* at is behind the opening quote; leaves it behind the closing one. */
static void walker_skip_string(walker *w) {
    while (w->at < w->size && w->text[w->at] != '"') w->at += w->text[w->at] == '\\' ? 2 : 1;
    w->at = w->at < w->size ? w->at + 1 : w->size;
}

static void walker_string(walker *w) {
    size_t begin = w->at;
    walker_skip_string(w);
    frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;
    if (top && !top->is_array && top->wants_key) {
        top->key = w->text + begin;
        top->key_size = w->at > begin ? w->at - begin - 1 : 0;
        top->wants_key = false;
    }
}

/* One token other than a number. False: the brackets do not match, or nest too deep. */
static bool walker_step(walker *w) {
    char c = w->text[w->at++];
    frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;
    switch (c) {
    case '"':
        walker_string(w);
        return true;
    case '{':
    case '[':
        if (w->depth == MAX_DEPTH) return false;
        w->frames[w->depth++] = (frame){.is_array = c == '[', .wants_key = c == '{'};
        return true;
    case '}':
    case ']':
        if (!top || top->is_array != (c == ']')) return false;
        w->depth--;
        return true;
    case ',':
        if (top && top->is_array)
            top->index++;
        else if (top)
            top->wants_key = true;
        return true;
    default:
        return true;
    }
}

static bool is_number_byte(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* The end of the array that begins at `begin`, or 0 when it has none. */
static size_t array_end(const char *text, size_t size, size_t begin) {
    walker w = {.text = text, .size = size, .at = begin};
    size_t depth = 0;
    while (w.at < size) {
        char c = text[w.at++];
        if (c == '"')
            walker_skip_string(&w);
        else if (c == '[')
            depth++;
        else if (c == ']' && --depth == 0)
            return w.at;
    }
    return 0;
}

static pr_status hide(pr_case_scan *scan, size_t begin, size_t end, pr_error *err) {
    if (scan->n_hidden == scan->capacity) {
        size_t capacity = scan->capacity ? 2 * scan->capacity : 8;
        pr_case_span *grown = realloc(scan->hidden, capacity * sizeof *grown);
        if (!grown) return pr_fail(err, PR_ERR_MEMORY, "out of memory while reading a case");
        scan->hidden = grown;
        scan->capacity = capacity;
    }
    scan->hidden[scan->n_hidden++] = (pr_case_span){begin, end};
    return PR_OK;
}

static bool matches(const char *path, const char *head, const char *tail) {
    size_t n = strlen(path), nh = strlen(head), nt = strlen(tail);
    if (n < nh + nt || strncmp(path, head, nh) != 0 || strcmp(path + n - nt, tail) != 0) return false;
    return strspn(path + nh, "0123456789") == n - nh - nt;
}

/* Places that hold a 64-bit number: a script's mix_u64, its echo in the expected transcript, the interaction nonce. */
static bool may_be_big(const char *path) {
    return matches(path, "$.transcript[", "].mix_u64") || matches(path, "$.expected.transcript[", "].data") ||
           strcmp(path, "$.expected.interaction_pow") == 0;
}

/* digits has no leading zero (JSON's rule; the parser behind us refuses them). */
static bool exceeds(const char *digits, size_t size, const char *limit) {
    size_t n = strlen(limit);
    return size > n || (size == n && memcmp(digits, limit, n) > 0);
}

static pr_status scan_integer(pr_case_scan *scan, const walker *w, size_t begin, const char *file, pr_error *err) {
    const char *token = scan->text + begin;
    size_t size = w->at - begin;
    bool negative = token[0] == '-';
    const char *digits = token + negative;
    size_t n_digits = size - negative;
    if (!exceeds(digits, n_digits, negative ? "9223372036854775808" : "9223372036854775807")) return PR_OK;
    for (size_t i = 0; i < n_digits; i++)
        if (digits[i] < '0' || digits[i] > '9') return PR_OK; /* not an integer */
    if (digits[0] == '0') return PR_OK;
    pr_case_path path;
    walker_path(&path, w);
    if (negative || exceeds(digits, n_digits, "18446744073709551615") || !may_be_big(path.text))
        return pr_fail_at(err, PR_ERR_USAGE, file, 0, 0, "%s: %.*s%s is out of range", path.text,
                          size > 40 ? 40 : (int)size, token, size > 40 ? "..." : "");
    PR_TRY(hide(scan, begin, w->at, err));
    if (json_object_set_new(scan->big, path.text, json_stringn(digits, n_digits)))
        return pr_fail(err, PR_ERR_MEMORY, "out of memory while reading a case");
    return PR_OK;
}

static bool at_trace(const walker *w) {
    const frame *root = &w->frames[0];
    return w->text[w->at] == '[' && w->depth == 1 && !root->is_array && !root->wants_key && root->key_size == 5 &&
           memcmp(root->key, "trace", 5) == 0;
}

static pr_status scan_text(pr_case_scan *scan, walker *w, const char *file, pr_error *err) {
    while (w->at < w->size) {
        char c = w->text[w->at];
        if ((c >= '0' && c <= '9') || c == '-') {
            size_t begin = w->at;
            while (w->at < w->size && is_number_byte(w->text[w->at])) w->at++;
            if (w->at - begin >= 19) PR_TRY(scan_integer(scan, w, begin, file, err));
        } else if (!scan->has_trace && at_trace(w)) {
            size_t end = array_end(w->text, w->size, w->at);
            if (!end) return PR_OK;
            scan->has_trace = true;
            scan->trace = (pr_case_span){w->at, end};
            PR_TRY(hide(scan, w->at, end, err));
            w->at = end;
        } else if (!walker_step(w))
            return PR_OK; /* the parser says what is wrong */
    }
    return PR_OK;
}

pr_status pr_case_scan_init(pr_case_scan *scan, const char *text, size_t size, const char *file, pr_error *err) {
    *scan = (pr_case_scan){.text = text, .size = size, .big = json_object()};
    walker *w = calloc(1, sizeof *w);
    pr_status status;
    if (w && scan->big) {
        w->text = text;
        w->size = size;
        status = scan_text(scan, w, file, err);
    } else
        status = pr_fail(err, PR_ERR_MEMORY, "out of memory while reading a case");
    free(w);
    if (status != PR_OK) pr_case_scan_clear(scan);
    return status;
}

void pr_case_scan_clear(pr_case_scan *scan) {
    free(scan->hidden);
    json_decref(scan->big);
    *scan = (pr_case_scan){0};
}

size_t pr_case_scan_feed(void *buffer, size_t size, void *context) {
    pr_case_scan *scan = context;
    char *out = buffer;
    size_t n = 0;
    while (n < size && scan->fed < scan->size) {
        size_t stop = scan->next < scan->n_hidden ? scan->hidden[scan->next].begin : scan->size;
        if (scan->fed == stop) {
            out[n++] = '0';
            scan->fed = scan->hidden[scan->next++].end;
            continue;
        }
        size_t piece = stop - scan->fed < size - n ? stop - scan->fed : size - n;
        memcpy(out + n, scan->text + scan->fed, piece);
        n += piece;
        scan->fed += piece;
    }
    return n;
}

size_t pr_case_scan_offset(const pr_case_scan *scan, size_t fed) {
    for (size_t i = 0; i < scan->n_hidden && scan->hidden[i].begin < fed; i++)
        fed += scan->hidden[i].end - scan->hidden[i].begin - 1;
    return fed < scan->size ? fed : scan->size;
}

const char *pr_case_scan_big(const pr_case_scan *scan, const char *path) {
    return json_string_value(json_object_get(scan->big, path));
}

void pr_case_scan_path_at(pr_case_path *path, const char *text, size_t size, size_t offset) {
    pr_case_path_init(path);
    walker *w = calloc(1, sizeof *w);
    if (!w) return;
    w->text = text;
    w->size = size;
    while (w->at < size && w->at < offset) {
        /* a bracket that closes too early is refused where it stands, not where it would lead */
        if (w->at + 1 >= offset && (text[w->at] == ']' || text[w->at] == '}')) break;
        if (!walker_step(w)) break;
    }
    walker_path(path, w);
    free(w);
}

void pr_case_scan_position(size_t *line, size_t *column, const char *text, size_t offset) {
    *line = *column = 1;
    for (size_t i = 0; i < offset; i++) {
        ++*column;
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}
