#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_reader_init(pr_reader *r, const void *data, size_t size) { *r = (pr_reader){.data = data, .size = size}; }

const uint8_t *pr_read_borrow(pr_reader *r, size_t n) {
    if (r->failed || n > r->size - r->at) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->data + r->at;
    r->at += n;
    return at;
}

static uint64_t read_le(pr_reader *r, size_t n) {
    const uint8_t *at = pr_read_borrow(r, n);
    uint64_t v = 0;
    for (size_t k = 0; at && k < n; k++) v |= (uint64_t)at[k] << (8 * k);
    return v;
}

uint8_t pr_read_u8(pr_reader *r) { return (uint8_t)read_le(r, 1); }
uint16_t pr_read_u16(pr_reader *r) { return (uint16_t)read_le(r, 2); }
uint32_t pr_read_u32(pr_reader *r) { return (uint32_t)read_le(r, 4); }
uint64_t pr_read_u64(pr_reader *r) { return read_le(r, 8); }

void pr_read_bytes(pr_reader *r, void *out, size_t n) {
    if (n == 0) return;
    const uint8_t *at = pr_read_borrow(r, n);
    if (at)
        memcpy(out, at, n);
    else
        memset(out, 0, n);
}

bool pr_reader_done(const pr_reader *r) { return !r->failed && r->at == r->size; }

void pr_writer_init(pr_writer *w) { *w = (pr_writer){0}; }

void pr_writer_clear(pr_writer *w) {
    free(w->data);
    *w = (pr_writer){0};
}

/* Room for n more bytes, or failed. */
static bool reserve(pr_writer *w, size_t n) {
    if (w->failed) return false;
    if (n <= w->capacity - w->size) return true;
    if (n > SIZE_MAX / 4 || w->size > SIZE_MAX / 4) return !(w->failed = true);
    size_t capacity = w->capacity ? 2 * w->capacity : 256;
    if (capacity < w->size + n) capacity = w->size + n;
    uint8_t *data = realloc(w->data, capacity);
    if (!data) return !(w->failed = true);
    w->data = data;
    w->capacity = capacity;
    return true;
}

void pr_write_bytes(pr_writer *w, const void *data, size_t n) {
    if (n == 0 || !reserve(w, n)) return;
    memcpy(w->data + w->size, data, n);
    w->size += n;
}

static void write_le(pr_writer *w, uint64_t v, size_t n) {
    uint8_t bytes[8];
    for (size_t k = 0; k < n; k++) bytes[k] = (uint8_t)(v >> (8 * k));
    pr_write_bytes(w, bytes, n);
}

void pr_write_u8(pr_writer *w, uint8_t v) { write_le(w, v, 1); }
void pr_write_u16(pr_writer *w, uint16_t v) { write_le(w, v, 2); }
void pr_write_u32(pr_writer *w, uint32_t v) { write_le(w, v, 4); }
void pr_write_u64(pr_writer *w, uint64_t v) { write_le(w, v, 8); }

void pr_write_var(pr_writer *w, const void *data, size_t n) {
    pr_write_u64(w, n);
    pr_write_bytes(w, data, n);
}

void pr_write_text(pr_writer *w, const char *text) { pr_write_var(w, text, strlen(text)); }

void pr_write_format(pr_writer *w, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        w->failed = true;
    } else if (reserve(w, (size_t)n + 1)) { /* vsnprintf also writes its 0 byte */
        vsnprintf((char *)w->data + w->size, (size_t)n + 1, format, again);
        w->size += (size_t)n;
    }
    va_end(again);
}

void pr_write_json_text(pr_writer *w, const char *text) {
    pr_write_u8(w, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            pr_write_format(w, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            pr_write_format(w, "\\u%04x", c);
        else
            pr_write_u8(w, c);
    }
    pr_write_u8(w, '"');
}

void pr_hex_encode(char *out, const uint8_t *data, size_t n) {
    static const char digits[] = "0123456789abcdef";
    for (size_t k = 0; k < n; k++) {
        out[2 * k] = digits[data[k] >> 4];
        out[2 * k + 1] = digits[data[k] & 15];
    }
    out[2 * n] = 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool pr_hex_decode(uint8_t *out, size_t n, const char *text) {
    if (strnlen(text, 2 * n + 1) != 2 * n) return false;
    for (size_t k = 0; k < n; k++) {
        int high = hex_digit(text[2 * k]), low = hex_digit(text[2 * k + 1]);
        if (high < 0 || low < 0) return false;
        out[k] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void pr_list_names(char *out, size_t size, const char *const *names) {
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; names[i] && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", names[i]);
}
