/* Checks of single values, and how a problem is told. */
#include "manifest/internal.h"
#include "air/profile.h"
#include "base/bytes.h"
#include "base/duration.h"
#include "starkcurve/key_file.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_loader_problem(pr_loader *l, size_t line, size_t column, const char *format, ...) {
    if (++l->n_problems > PR_MANIFEST_MAX_PROBLEMS) return;
    pr_error e = {0};
    char text[sizeof e.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)pr_fail_at(&e, PR_ERR_USAGE, l->file, line, column, "%s", text);
    if (l->report) pr_write_format(l->report, "%s\n", e.text);
    if (l->n_problems == 1 && l->err) *l->err = e;
}

bool pr_loader_expect(pr_loader *l, const pr_yaml *node, pr_yaml_kind kind, const char *what) {
    if (node->kind == kind) return true;
    pr_loader_problem(l, node->line, node->column, "%s must be %s, found %s", what, pr_yaml_kind_name(kind),
                      pr_yaml_kind_name(node->kind));
    return false;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Levenshtein distance, for short names; long texts are far from everything. */
static size_t distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), row[65];
    if (n > 64 || m > 64) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            row[j] = least(diagonal + (a[i - 1] != b[j - 1]), least(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[m];
}

const char *pr_loader_suggest(char out[96], const char *text, const char *const *names) {
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (; *names; names++) {
        size_t d = distance(text, *names);
        if (d < best) {
            best = d;
            nearest = *names;
        }
    }
    out[0] = 0;
    if (nearest && best <= 3 && best < strlen(nearest)) snprintf(out, 96, "; did you mean `%s`?", nearest);
    return out;
}

bool pr_loader_keys(pr_loader *l, const pr_yaml *map, const char *const *allowed, const char *where) {
    size_t before = l->n_problems;
    for (size_t i = 0; i < map->n; i++) {
        const pr_yaml *key = map->items[i].key;
        size_t k = 0;
        while (allowed[k] && strcmp(allowed[k], key->text) != 0) k++;
        if (allowed[k]) continue;
        char shown[72], list[256], hint[96];
        pr_list_names(list, sizeof list, allowed);
        pr_loader_problem(l, key->line, key->column, "unknown key `%s` in %s%s; allowed: %s",
                          pr_yaml_show(shown, key->text), where, pr_loader_suggest(hint, key->text, allowed), list);
    }
    return l->n_problems == before;
}

static bool read_integer(int64_t *out, const char *text) {
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (digits == 0 || digits > 18 || text[digits + (*text == '-')] != 0) return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

bool pr_loader_integer(pr_loader *l, int64_t *out, const pr_yaml *node, const char *what, int64_t min, int64_t max) {
    int64_t v;
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, what)) return false;
    char shown[72];
    if (node->plain && read_integer(&v, node->text) && v >= min && v <= max) {
        *out = v;
        return true;
    }
    char range[64];
    snprintf(range, sizeof range, min == max ? "%lld" : "an integer from %lld to %lld", (long long)min, (long long)max);
    pr_loader_problem(l, node->line, node->column, "%s is `%s`%s; allowed: %s", what, pr_yaml_show(shown, node->text),
                      node->plain ? "" : " in quotes", range);
    return false;
}

static bool name_is_valid(const char *text, size_t max_bytes) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t n = strlen(text);
    if (n == 0 || n > max_bytes || !strchr(letters, text[0])) return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr(letters, text[i]) && !strchr("._-", text[i])) return false;
    return true;
}

bool pr_loader_name(pr_loader *l, const pr_yaml *node, const char *what, size_t max_bytes) {
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, what)) return false;
    if (name_is_valid(node->text, max_bytes)) return true;
    char shown[72];
    pr_loader_problem(l, node->line, node->column,
                      "%s is `%s`; allowed: letters, digits, `.`, `_`, `-`, a letter or digit first, %zu bytes at most",
                      what, pr_yaml_show(shown, node->text), max_bytes);
    return false;
}

static bool read_profile(pr_loader *l, pr_common *common, const pr_yaml *node) {
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, "profile")) return false;
    pr_error e = {0};
    char shown[72];
    if (pr_profile_config(&common->config, pr_yaml_show(shown, node->text), &e) == PR_OK) {
        common->profile = node->text;
        return true;
    }
    pr_loader_problem(l, node->line, node->column, "%s", e.text);
    return false;
}

static void read_time_limit(pr_loader *l, pr_common *common, const pr_yaml *node) {
    uint64_t ns;
    char shown[72];
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, "time_limit")) return;
    if (pr_duration_parse(&ns, node->text) && ns > 0)
        common->time_limit_ns = ns;
    else
        pr_loader_problem(l, node->line, node->column, "time_limit is `%s`; allowed: " PR_DURATION_ALLOWED,
                          pr_yaml_show(shown, node->text));
}

static void read_deadline(pr_loader *l, pr_common *common, const pr_yaml *node) {
    uint64_t ns;
    char shown[72];
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, "deadline")) return;
    common->deadline_ns = common->deadline_wall_ns = 0;
    if (pr_duration_parse(&ns, node->text) && ns > 0)
        common->deadline_ns = ns;
    else if (pr_time_parse_iso8601(&ns, node->text) && ns > 0)
        common->deadline_wall_ns = ns;
    else
        pr_loader_problem(l, node->line, node->column,
                          "deadline is `%s`; allowed: from the start of the run, " PR_DURATION_ALLOWED
                          ", or a point in time with its zone such as 2026-11-25T22:00:00Z",
                          pr_yaml_show(shown, node->text));
}

/* A list of ids, or one; what stands in a job takes the place of what stands in defaults. */
static void read_after(pr_loader *l, pr_common *common, const pr_yaml *node) {
    if (node->kind == PR_YAML_MAP) {
        pr_loader_problem(l, node->line, node->column, "after must be an id or a list of ids, found a map");
        return;
    }
    for (size_t i = 0; node->kind == PR_YAML_LIST && i < node->n; i++)
        if (!pr_loader_expect(l, node->items[i].value, PR_YAML_SCALAR, "an id in after")) return;
    common->after = node;
}

/* A key in digits is checked at once; a file is read by pr_manifest_read_keys, where results are written. */
static void read_encrypt_to(pr_loader *l, pr_common *common, const pr_yaml *node) {
    uint8_t key[32];
    pr_error e = {0};
    if (!pr_loader_expect(l, node, PR_YAML_SCALAR, "encrypt_to")) return;
    common->encrypt_to = strcmp(node->text, "none") ? node->text : NULL;
    if (!node->text[0])
        pr_loader_problem(l, node->line, node->column,
                          "encrypt_to is empty; allowed: a public key (0x and hex digits), a file with one, or none");
    else if (strncmp(node->text, "0x", 2) == 0 && pr_public_key_read(key, node->text, &e) != PR_OK)
        pr_loader_problem(l, node->line, node->column, "encrypt_to: %s", e.text);
}

bool pr_loader_common(pr_loader *l, pr_common *common, const pr_yaml *map) {
    size_t before = l->n_problems;
    int64_t v;
    const pr_yaml *node;
    if ((node = pr_yaml_get(map, "profile"))) (void)read_profile(l, common, node);
    if ((node = pr_yaml_get(map, "priority")) && pr_loader_integer(l, &v, node, "priority", -1000, 1000))
        common->priority = (int32_t)v;
    if ((node = pr_yaml_get(map, "retries")) && pr_loader_integer(l, &v, node, "retries", 0, PR_MANIFEST_MAX_RETRIES))
        common->retries = (uint32_t)v;
    if ((node = pr_yaml_get(map, "time_limit"))) read_time_limit(l, common, node);
    if ((node = pr_yaml_get(map, "deadline"))) read_deadline(l, common, node);
    if ((node = pr_yaml_get(map, "encrypt_to"))) read_encrypt_to(l, common, node);
    if ((node = pr_yaml_get(map, "after"))) read_after(l, common, node);
    return l->n_problems == before;
}

pr_status pr_text_load(void *out, pr_text_parser *parse, const char *path, size_t max_bytes, pr_error *err) {
    uint8_t *text = NULL;
    size_t size;
    PR_TRY(pr_file_read(&text, &size, path, max_bytes, err));
    pr_status status = parse(out, (const char *)text, size, path, err);
    free(text);
    return status;
}
