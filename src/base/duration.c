#include "base/duration.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PR_SECOND 1000000000ull

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {{"d", 86400 * PR_SECOND},
             {"h", 3600 * PR_SECOND},
             {"min", 60 * PR_SECOND},
             {"s", PR_SECOND},
             {"ms", PR_SECOND / 1000}};
enum { N_UNITS = sizeof units / sizeof *units };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/* A number of at most twelve digits; NULL when there is none. */
static const char *read_number(uint64_t *out, const char *text) {
    size_t n = 0;
    for (*out = 0; is_digit(text[n]); n++) {
        if (n == 12) return NULL;
        *out = 10 * *out + (uint64_t)(text[n] - '0');
    }
    return n ? text + n : NULL;
}

/* The unit's place in the table, from `first` on; N_UNITS: none. */
static size_t read_unit(const char **text, size_t first) {
    size_t n = 0;
    while (is_letter((*text)[n])) n++;
    for (size_t u = first; u < N_UNITS; u++)
        if (strlen(units[u].name) == n && strncmp(units[u].name, *text, n) == 0) {
            *text += n;
            return u;
        }
    return N_UNITS;
}

bool pr_duration_parse(uint64_t *ns, const char *text) {
    uint64_t sum = 0, number;
    size_t first = 0;
    do {
        text = read_number(&number, text);
        if (!text) return false;
        size_t u = read_unit(&text, first);
        if (u == N_UNITS || number > PR_DURATION_MAX_NS / units[u].ns) return false;
        sum += number * units[u].ns;
        first = u + 1;
    } while (*text && sum <= PR_DURATION_MAX_NS);
    if (sum > PR_DURATION_MAX_NS) return false;
    *ns = sum;
    return true;
}

/* Exactly n digits with a value in [min, max], then moves on. */
static bool read_field(int *out, const char **text, int n, int min, int max) {
    int v = 0;
    for (int i = 0; i < n; i++, (*text)++) {
        if (!is_digit(**text)) return false;
        v = 10 * v + (**text - '0');
    }
    *out = v;
    return v >= min && v <= max;
}

static bool read_char(const char **text, char c) {
    if (**text != c) return false;
    (*text)++;
    return true;
}

static bool read_zone(int *minutes, const char *text) {
    int h, m;
    *minutes = 0;
    if (strcmp(text, "Z") == 0) return true;
    int sign = *text == '-' ? -1 : 1;
    if (*text != '+' && *text != '-') return false;
    text++;
    if (!read_field(&h, &text, 2, 0, 14) || !read_char(&text, ':') || !read_field(&m, &text, 2, 0, 59) || *text)
        return false;
    *minutes = sign * (60 * h + m);
    return true;
}

static bool day_exists(const struct tm *given) {
    struct tm t = *given;
    return timegm(&t) != -1 && t.tm_mday == given->tm_mday;
}

bool pr_time_parse_iso8601(uint64_t *wall_ns, const char *text) {
    struct tm t = {0};
    int year, month, zone;
    if (!read_field(&year, &text, 4, 1970, 2200) || !read_char(&text, '-') || !read_field(&month, &text, 2, 1, 12) ||
        !read_char(&text, '-') || !read_field(&t.tm_mday, &text, 2, 1, 31) || !read_char(&text, 'T') ||
        !read_field(&t.tm_hour, &text, 2, 0, 23) || !read_char(&text, ':') || !read_field(&t.tm_min, &text, 2, 0, 59))
        return false;
    if (*text == ':' && (text++, !read_field(&t.tm_sec, &text, 2, 0, 59))) return false;
    if (!read_zone(&zone, text)) return false;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    if (!day_exists(&t)) return false;
    int64_t seconds = (int64_t)timegm(&t) - 60 * (int64_t)zone;
    if (seconds < 0) return false;
    *wall_ns = (uint64_t)seconds * PR_SECOND;
    return true;
}

void pr_duration_format(char out[32], uint64_t ns) {
    unsigned long long s = ns / PR_SECOND;
    if (s >= 3600)
        snprintf(out, 32, "%lluh %02llumin", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(out, 32, "%llumin %02llus", s / 60, s % 60);
    else if (s >= 1)
        snprintf(out, 32, "%.1fs", (double)ns / 1e9);
    else
        snprintf(out, 32, "%llums", (unsigned long long)(ns / 1000000));
}
