#include "casefile/json.h"
#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_case_cursor pr_case_member(const pr_case_cursor *object, const char *key) {
    return (pr_case_cursor){.doc = object->doc, .up = object, .key = key, .value = json_object_get(object->value, key)};
}

pr_case_cursor pr_case_element(const pr_case_cursor *array, size_t index) {
    return (pr_case_cursor){
        .doc = array->doc, .up = array, .index = index, .value = json_array_get(array->value, index)};
}

void pr_case_cursor_path(pr_case_path *path, const pr_case_cursor *at) {
    if (!at->up) {
        pr_case_path_init(path);
        return;
    }
    pr_case_cursor_path(path, at->up);
    if (at->key)
        pr_case_path_key(path, at->key, strlen(at->key));
    else
        pr_case_path_index(path, at->index);
}

pr_status pr_case_refuse(const pr_case_cursor *at, const char *format, ...) {
    pr_case_path path;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pr_case_cursor_path(&path, at);
    return pr_fail_at(at->doc->err, PR_ERR_USAGE, at->doc->file, 0, 0, "%s: %s", path.text, text);
}

pr_status pr_case_no_memory(const pr_case_doc *doc) {
    return pr_fail_at(doc->err, PR_ERR_MEMORY, doc->file, 0, 0, "out of memory");
}

static bool is_listed(const char *const *list, const char *key) {
    for (; *list; list++)
        if (strcmp(*list, key) == 0) return true;
    return false;
}

static void list_keys(char *out, size_t size, const char *const *list) {
    for (; *list; list++) {
        size_t n = strlen(out);
        snprintf(out + n, size - n, "%s%s", n ? ", " : "", *list);
    }
}

static pr_status refuse_key(const pr_case_cursor *at, const char *key, const char *const *required,
                            const char *const *optional) {
    char allowed[256] = "";
    list_keys(allowed, sizeof allowed, required);
    list_keys(allowed, sizeof allowed, optional);
    pr_case_cursor unknown = {.doc = at->doc, .up = at, .key = key};
    return pr_case_refuse(&unknown, "unknown key; allowed: %s", allowed);
}

pr_status pr_case_keys(const pr_case_cursor *at, const char *const *required, const char *const *optional) {
    if (!json_is_object(at->value)) return pr_case_refuse(at, "must be an object");
    for (void *i = json_object_iter(at->value); i; i = json_object_iter_next(at->value, i)) {
        const char *key = json_object_iter_key(i);
        if (!is_listed(required, key) && !is_listed(optional, key)) return refuse_key(at, key, required, optional);
    }
    for (; *required; required++)
        if (!json_object_get(at->value, *required)) return pr_case_refuse(at, "the key \"%s\" is missing", *required);
    return PR_OK;
}

pr_status pr_case_u64(const pr_case_cursor *at, uint64_t max, uint64_t *out) {
    if (!json_is_integer(at->value)) return pr_case_refuse(at, "must be a whole number");
    json_int_t v = json_integer_value(at->value);
    if (v < 0) return pr_case_refuse(at, "%lld is negative", (long long)v);
    if ((uint64_t)v > max) return pr_case_refuse(at, "%lld is above %llu", (long long)v, (unsigned long long)max);
    *out = (uint64_t)v;
    return PR_OK;
}

pr_status pr_case_u32(const pr_case_cursor *at, uint32_t max, uint32_t *out) {
    uint64_t v = 0;
    PR_TRY(pr_case_u64(at, max, &v));
    *out = (uint32_t)v;
    return PR_OK;
}

pr_status pr_case_m31(const pr_case_cursor *at, pr_m31 *out) { return pr_case_u32(at, PR_P - 1, out); }

pr_status pr_case_text(const pr_case_cursor *at, char **out) {
    if (!json_is_string(at->value)) return pr_case_refuse(at, "must be a text");
    *out = strdup(json_string_value(at->value));
    return *out ? PR_OK : pr_case_no_memory(at->doc);
}

pr_status pr_case_hex(const pr_case_cursor *at, uint8_t *out, size_t n) {
    const char *text = json_string_value(at->value);
    if (!text || strlen(text) != 2 * n || !pr_hex_decode(out, n, text))
        return pr_case_refuse(at, "must be a text of %zu hex digits", 2 * n);
    return PR_OK;
}

pr_status pr_case_array(const pr_case_cursor *at, uint32_t *n) {
    if (!json_is_array(at->value)) return pr_case_refuse(at, "must be an array");
    size_t size = json_array_size(at->value);
    if (size > INT32_MAX) return pr_case_refuse(at, "has too many elements");
    *n = (uint32_t)size;
    return PR_OK;
}

pr_status pr_case_array_of(const pr_case_cursor *at, uint32_t n) {
    uint32_t found = 0;
    PR_TRY(pr_case_array(at, &found));
    if (found != n) return pr_case_refuse(at, "has %u elements, must have %u", found, n);
    return PR_OK;
}

pr_status pr_case_words(const pr_case_cursor *at, uint32_t max, uint32_t **out, uint32_t *n) {
    uint32_t count = 0;
    PR_TRY(pr_case_array(at, &count));
    uint32_t *words = pr_case_alloc(count, sizeof *words);
    if (!words) return pr_case_no_memory(at->doc);
    for (uint32_t i = 0; i < count; i++) {
        pr_case_cursor element = pr_case_element(at, i);
        pr_status status = pr_case_u32(&element, max, &words[i]);
        if (status != PR_OK) {
            free(words);
            return status;
        }
    }
    *out = words;
    *n = count;
    return PR_OK;
}

pr_status pr_case_compact(const pr_case_cursor *at, char **out) {
    *out = json_dumps(at->value, JSON_COMPACT | JSON_ENCODE_ANY);
    return *out ? PR_OK : pr_case_no_memory(at->doc);
}

void *pr_case_alloc(size_t n, size_t size) { return calloc(n ? n : 1, size); }
