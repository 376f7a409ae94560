#include "manifest/calibration.h"
#include "base/cpu.h"
#include "manifest/internal.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_CALIBRATION_MAX_BYTES ((size_t)1 << 16)
#define PR_CALIBRATION_VERSION 2u

static const struct number {
    const char *name;
    size_t offset;
    double min, max;
    uint32_t since; /* version */
} numbers[] = {
    {"cell_ns", offsetof(pr_calibration, costs.cell_ns), 0.01, 1e6, 1},
    {"row_ns", offsetof(pr_calibration, costs.row_ns), 0, 1e7, 1},
    {"grind_ns", offsetof(pr_calibration, costs.grind_ns), 0.001, 1e6, 1},
    {"attempt_ns", offsetof(pr_calibration, costs.attempt_ns), 0, 1e11, 1},
    {"parallel", offsetof(pr_calibration, costs.parallel), 0, 1, 1},
    {"worst_error", offsetof(pr_calibration, worst_error), 0, 100, 1},
    {"verify_byte_ns", offsetof(pr_calibration, costs.verify.byte_ns), 0, 1e6, 2},
    {"verify_node_ns", offsetof(pr_calibration, costs.verify.node_ns), 0, 1e6, 2},
    {"verify_value_ns", offsetof(pr_calibration, costs.verify.value_ns), 0, 1e6, 2},
    {"verify_root_ns", offsetof(pr_calibration, costs.verify.root_ns), 0, 1e6, 2},
    {"verify_attempt_ns", offsetof(pr_calibration, costs.verify.attempt_ns), 0, 1e11, 2},
};

static const struct word {
    const char *name;
    size_t offset, size;
} words[] = {
    {"processor", offsetof(pr_calibration, processor), sizeof(((pr_calibration *)0)->processor)},
    {"instructions", offsetof(pr_calibration, instructions), sizeof(((pr_calibration *)0)->instructions)},
    {"measured", offsetof(pr_calibration, measured), sizeof(((pr_calibration *)0)->measured)},
};

enum { N_NUMBERS = sizeof numbers / sizeof *numbers, N_WORDS = sizeof words / sizeof *words };

bool pr_calibration_path(char out[PR_CALIBRATION_PATH_BYTES]) {
    const char *file = getenv("PROVERUN_CALIBRATION"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (file && *file)
        n = snprintf(out, PR_CALIBRATION_PATH_BYTES, "%s", file);
    else if (cache && *cache)
        n = snprintf(out, PR_CALIBRATION_PATH_BYTES, "%s/proverun/calibration.yaml", cache);
    else if (home && *home)
        n = snprintf(out, PR_CALIBRATION_PATH_BYTES, "%s/.cache/proverun/calibration.yaml", home);
    return n > 0 && n < PR_CALIBRATION_PATH_BYTES;
}

/* ---- reading ---- */

static pr_status take_number(pr_calibration *c, const struct number *k, const pr_yaml *v, const char *file,
                             pr_error *err) {
    char *end, shown[72];
    double x = strtod(v->text, &end);
    if (*v->text && !*end && x >= k->min && x <= k->max) {
        memcpy((char *)c + k->offset, &x, sizeof x);
        return PR_OK;
    }
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column, "%s: `%s`; allowed: a number from %g to %g", k->name,
                      pr_yaml_show(shown, v->text), k->min, k->max);
}

static pr_status take_word(pr_calibration *c, const struct word *k, const pr_yaml *v, const char *file, pr_error *err) {
    int n = snprintf((char *)c + k->offset, k->size, "%s", v->text);
    if (n > 0 && (size_t)n < k->size) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column, "%s: allowed: 1 to %zu bytes", k->name, k->size - 1);
}

/* Bit k of seen: a number, then the words, then the version. */
static pr_status take_item(pr_calibration *c, uint32_t *seen, const pr_yaml_item *item, const char *file,
                           pr_error *err) {
    const pr_yaml *key = item->key, *v = item->value;
    char shown[72];
    PR_TRY(pr_yaml_expect(v, PR_YAML_SCALAR, key->text, file, err));
    for (uint32_t k = 0; k < N_NUMBERS; k++)
        if (!strcmp(key->text, numbers[k].name)) return *seen |= 1u << k, take_number(c, &numbers[k], v, file, err);
    for (uint32_t k = 0; k < N_WORDS; k++)
        if (!strcmp(key->text, words[k].name))
            return *seen |= 1u << (N_NUMBERS + k), take_word(c, &words[k], v, file, err);
    if (strcmp(key->text, "version") != 0)
        return pr_fail_at(err, PR_ERR_USAGE, file, key->line, key->column,
                          "unknown key `%s`; allowed: what `proverun bench calibrate` writes",
                          pr_yaml_show(shown, key->text));
    *seen |= 1u << (N_NUMBERS + N_WORDS);
    c->version = !strcmp(v->text, "1") ? 1 : !strcmp(v->text, "2") ? 2 : 0;
    if (c->version) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column,
                      "version: `%s`; allowed: 1, 2 (`proverun bench calibrate` writes a new file)",
                      pr_yaml_show(shown, v->text));
}

static pr_status take_all(pr_calibration *c, const pr_yaml *root, const char *file, pr_error *err) {
    uint32_t seen = 0;
    PR_TRY(pr_yaml_expect(root, PR_YAML_MAP, "the file", file, err));
    for (size_t i = 0; i < root->n; i++) PR_TRY(take_item(c, &seen, &root->items[i], file, err));
    for (uint32_t k = 0; k <= N_NUMBERS + N_WORDS; k++) {
        if (seen >> k & 1 || (k < N_NUMBERS && c->version && c->version < numbers[k].since)) continue;
        const char *name = k < N_NUMBERS             ? numbers[k].name
                           : k < N_NUMBERS + N_WORDS ? words[k - N_NUMBERS].name
                                                     : "version";
        return pr_fail_at(err, PR_ERR_USAGE, file, root->line, root->column, "%s: missing", name);
    }
    return PR_OK;
}

pr_status pr_calibration_parse(pr_calibration *out, const char *text, size_t size, const char *file, pr_error *err) {
    pr_yaml *root = NULL;
    *out = (pr_calibration){0};
    PR_TRY(pr_yaml_parse(&root, text, size, file, err));
    pr_status status = take_all(out, root, file, err);
    pr_yaml_destroy(root);
    return status;
}

static pr_status parse(void *out, const char *text, size_t size, const char *file, pr_error *err) {
    return pr_calibration_parse(out, text, size, file, err);
}

/* ---- writing ---- */

/* In quotes, without what ends them. */
static void write_word(pr_writer *w, const char *name, const char *text) {
    pr_write_format(w, "%s: \"", name);
    for (; *text; text++) pr_write_format(w, "%c", *text == '"' || *text == '\\' || *text < ' ' ? ' ' : *text);
    pr_write_format(w, "\"\n");
}

void pr_calibration_write(pr_writer *w, const pr_calibration *c) {
    pr_write_format(w, "# Written by `proverun bench calibrate`: times of one thread on this processor.\nversion: %u\n",
                    PR_CALIBRATION_VERSION);
    for (size_t k = 0; k < N_WORDS; k++) write_word(w, words[k].name, (const char *)c + words[k].offset);
    for (size_t k = 0; k < N_NUMBERS; k++) {
        double x;
        memcpy(&x, (const char *)c + numbers[k].offset, sizeof x);
        pr_write_format(w, "%s: %.6g\n", numbers[k].name, x);
    }
}

/* ---- use ---- */

static bool is_of_this_machine(const pr_calibration *c) {
    char here[sizeof c->processor];
    pr_cpu_model(here, sizeof here);
    return !strcmp(c->processor, here) && !strcmp(c->instructions, pr_isa_name(pr_cpu_isa()));
}

pr_costs pr_calibration_costs(pr_costs_origin *origin) {
    char path[PR_CALIBRATION_PATH_BYTES];
    pr_calibration c;
    pr_error err = {0};
    *origin = (pr_costs_origin){.text = "built-in constants of another machine; `proverun bench calibrate` measures "
                                        "this one"};
    if (!pr_calibration_path(path) || (access(path, F_OK) != 0 && errno == ENOENT))
        return pr_costs_built_in(pr_cpu_isa());
    if (pr_text_load(&c, parse, path, PR_CALIBRATION_MAX_BYTES, &err) != PR_OK)
        snprintf(origin->text, sizeof origin->text, "built-in constants of another machine, because of %.400s",
                 err.text);
    else if (!is_of_this_machine(&c))
        snprintf(origin->text, sizeof origin->text,
                 "built-in constants of another machine; %.200s is for %.120s with %s", path, c.processor,
                 c.instructions);
    else {
        origin->is_calibrated = true;
        snprintf(origin->text, sizeof origin->text, "constants measured on this processor at %s (%.300s)%s", c.measured,
                 path,
                 c.version < 2 ? "; of verification built-in constants: `proverun bench calibrate` measures it as well"
                               : "");
        if (c.version < 2) c.costs.verify = pr_costs_built_in(pr_cpu_isa()).verify;
        return c.costs;
    }
    return pr_costs_built_in(pr_cpu_isa());
}
