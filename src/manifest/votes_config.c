#include "manifest/votes_config.h"
#include "base/bytes.h"
#include "base/duration.h"
#include "manifest/internal.h"
#include "manifest/stakes.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_CONFIG_MAX_BYTES ((size_t)1 << 20)

typedef enum kind { KIND_NUMBER, KIND_DURATION, KIND_PATH, KIND_STAKE, KIND_EVIDENCE } kind;

typedef struct key {
    const char *name;
    kind kind;
    size_t offset;     /* in pr_votes_config: uint32_t, or PR_CONFIG_PATH_SIZE of text */
    uint32_t min, max; /* NUMBER; DURATION: ms */
} key;

static const key keys[] = {
    {"committee", KIND_NUMBER, offsetof(pr_votes_config, committee_size), 0, 256},
    {"round_timeout", KIND_DURATION, offsetof(pr_votes_config, round_timeout_ms), 100, 86400000},
    {"retries", KIND_NUMBER, offsetof(pr_votes_config, retries), 0, 100},
    {"view_timeout", KIND_DURATION, offsetof(pr_votes_config, view_timeout_ms), 100, 86400000},
    {"verify_threads", KIND_NUMBER, offsetof(pr_votes_config, threads), 1, 64},
    {"keys", KIND_PATH, offsetof(pr_votes_config, key_folder), 0, 0},
    {"key_passphrase_file", KIND_PATH, offsetof(pr_votes_config, key_passphrase_file), 0, 0},
    {"stake", KIND_STAKE, offsetof(pr_votes_config, stake_file), 0, 0},
    {"evidence", KIND_EVIDENCE, offsetof(pr_votes_config, evidence), 0, 0},
};
#define N_KEYS (sizeof keys / sizeof keys[0])

pr_votes_config pr_votes_config_defaults(void) {
    return (pr_votes_config){
        .committee_size = 4, .round_timeout_ms = 30000, .retries = 2, .view_timeout_ms = 10000, .threads = 1};
}

static pr_status unknown_key(const pr_yaml *at, const char *const *names, const char *file, pr_error *err) {
    char text[72], near[96], all[256];
    pr_list_names(all, sizeof all, names);
    return pr_fail_at(err, PR_ERR_USAGE, file, at->line, at->column, "unknown key `%s`%s; allowed: %s",
                      pr_yaml_show(text, at->text), pr_loader_suggest(near, at->text, names), all);
}

/* ---- values ---- */

static pr_status take_number(uint32_t *out, const key *k, const pr_yaml *v, const char *file, pr_error *err) {
    char *end, text[72];
    errno = 0;
    unsigned long n = strtoul(v->text, &end, 10);
    if (v->text[0] >= '0' && v->text[0] <= '9' && !*end && !errno && n >= k->min && n <= k->max) {
        *out = (uint32_t)n;
        return PR_OK;
    }
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column, "%s: `%s`; allowed: a whole number from %u to %u",
                      k->name, pr_yaml_show(text, v->text), k->min, k->max);
}

static pr_status take_duration(uint32_t *out, const key *k, const pr_yaml *v, const char *file, pr_error *err) {
    uint64_t ns;
    char text[72];
    if (pr_duration_parse(&ns, v->text) && ns / 1000000 >= k->min && ns / 1000000 <= k->max) {
        *out = (uint32_t)(ns / 1000000);
        return PR_OK;
    }
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column,
                      "%s: `%s`; allowed: " PR_DURATION_ALLOWED ", from 100ms to 24h", k->name,
                      pr_yaml_show(text, v->text));
}

static pr_status take_path(char *out, size_t size, const char *what, const pr_yaml *v, const char *file,
                           pr_error *err) {
    int here = v->text[0] == '/' ? 0 : (int)(pr_file_name(file) - file);
    int n = snprintf(out, size, "%.*s%s", here, file, v->text);
    if (v->text[0] && n > 0 && (size_t)n < size) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column, "%s: allowed: a path of at most %zu bytes", what,
                      size - 1);
}

static pr_status take_stake(pr_votes_config *c, const pr_yaml *v, const char *file, pr_error *err) {
    c->stake_file[0] = 0;
    if (strcmp(v->text, "equal") == 0) return PR_OK;
    return take_path(c->stake_file, PR_CONFIG_PATH_SIZE, "stake: `equal`, or a file's path", v, file, err);
}

static pr_status take_evidence(pr_votes_config *c, const pr_yaml *v, const char *file, pr_error *err) {
    static const char *const names[] = {"drain", "abort", NULL};
    char text[72], near[96];
    for (uint32_t k = 0; names[k]; k++) {
        if (strcmp(v->text, names[k]) != 0) continue;
        c->evidence = (pr_evidence_policy)k;
        return PR_OK;
    }
    return pr_fail_at(err, PR_ERR_USAGE, file, v->line, v->column, "evidence: `%s`%s; allowed: drain, abort",
                      pr_yaml_show(text, v->text), pr_loader_suggest(near, v->text, names));
}

static pr_status take_value(pr_votes_config *c, const key *k, const pr_yaml *v, const char *file, pr_error *err) {
    uint32_t *number = (uint32_t *)(void *)((char *)c + k->offset);
    PR_TRY(pr_yaml_expect(v, PR_YAML_SCALAR, k->name, file, err));
    switch (k->kind) {
    case KIND_NUMBER:
        return take_number(number, k, v, file, err);
    case KIND_DURATION:
        return take_duration(number, k, v, file, err);
    case KIND_PATH:
        return take_path((char *)c + k->offset, PR_CONFIG_PATH_SIZE, k->name, v, file, err);
    case KIND_STAKE:
        return take_stake(c, v, file, err);
    case KIND_EVIDENCE:
        return take_evidence(c, v, file, err);
    }
    return PR_OK;
}

/* ---- the tree ---- */

static pr_status take_consensus(pr_votes_config *c, const pr_yaml *map, const char *file, pr_error *err) {
    const char *names[N_KEYS + 1] = {NULL};
    for (size_t k = 0; k < N_KEYS; k++) names[k] = keys[k].name;
    PR_TRY(pr_yaml_expect(map, PR_YAML_MAP, "consensus", file, err));
    for (size_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (k < N_KEYS && strcmp(keys[k].name, map->items[i].key->text) != 0) k++;
        if (k == N_KEYS) return unknown_key(map->items[i].key, names, file, err);
        PR_TRY(take_value(c, &keys[k], map->items[i].value, file, err));
    }
    if (2 * (uint64_t)c->view_timeout_ms < ((uint64_t)c->retries + 1) * c->round_timeout_ms) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, map->line, map->column,
                      "view_timeout of %u ms; allowed: less than half of (retries + 1) x round_timeout, here %llu ms",
                      c->view_timeout_ms, ((unsigned long long)c->retries + 1) * c->round_timeout_ms / 2);
}

static pr_status take_all(pr_votes_config *c, const pr_yaml *root, const char *file, pr_error *err) {
    static const char *const names[] = {"version", "consensus", NULL};
    PR_TRY(pr_yaml_expect(root, PR_YAML_MAP, "the file", file, err));
    const pr_yaml *version = pr_yaml_get(root, "version");
    for (size_t i = 0; i < root->n; i++) {
        const pr_yaml *name = root->items[i].key, *value = root->items[i].value;
        if (strcmp(name->text, "consensus") == 0)
            PR_TRY(take_consensus(c, value, file, err));
        else if (strcmp(name->text, "version") != 0)
            return unknown_key(name, names, file, err);
    }
    if (version && version->kind == PR_YAML_SCALAR && strcmp(version->text, "1") == 0) return PR_OK;
    const pr_yaml *at = version ? version : root;
    return pr_fail_at(err, PR_ERR_USAGE, file, at->line, at->column, "version: %s; allowed: 1",
                      version ? "another one" : "missing");
}

pr_status pr_votes_config_parse(pr_votes_config *out, const char *text, size_t size, const char *file, pr_error *err) {
    pr_yaml *root = NULL;
    *out = pr_votes_config_defaults();
    PR_TRY(pr_yaml_parse(&root, text, size, file, err));
    pr_status status = take_all(out, root, file, err);
    pr_yaml_destroy(root);
    return status;
}

static pr_status parse(void *out, const char *text, size_t size, const char *file, pr_error *err) {
    return pr_votes_config_parse(out, text, size, file, err);
}

pr_status pr_votes_config_load(pr_votes_config *out, const char *path, pr_error *err) {
    PR_TRY(pr_text_load(out, parse, path, PR_CONFIG_MAX_BYTES, err));
    if (!out->stake_file[0]) return PR_OK;
    pr_stakes stakes; /* mistakes in it are told before there is any work */
    PR_TRY(pr_stakes_load(&stakes, out->stake_file, err));
    pr_stakes_clear(&stakes);
    return PR_OK;
}
