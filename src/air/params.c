#include "air/job_type.h"
#include "base/bytes.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pr_param_spec *find_spec(const pr_job_type *type, const char *name) {
    for (size_t i = 0; i < type->n_params; i++)
        if (!strcmp(type->params[i].name, name)) return &type->params[i];
    return NULL;
}

static const char *find_value(const pr_params *params, const char *name) {
    for (size_t i = 0; i < params->n; i++)
        if (!strcmp(params->items[i].name, name)) return params->items[i].value;
    return NULL;
}

static pr_status unknown(const pr_job_type *type, const char *name, pr_error *err) {
    char names[512] = "";
    for (size_t i = 0, n = 0; i < type->n_params && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", type->params[i].name);
    return pr_fail(err, PR_ERR_USAGE, "job type %s has no parameter '%s'; allowed: %s", type->name, name, names);
}

static bool parse_uint(uint64_t *out, const char *text) {
    char *end = NULL;
    errno = 0;
    if (!isdigit((unsigned char)text[0])) return false;
    *out = strtoull(text, &end, 10);
    return *end == 0 && errno == 0;
}

static pr_status check_item(const pr_job_type *type, const pr_param *item, pr_error *err) {
    const pr_param_spec *spec = find_spec(type, item->name);
    uint64_t v;
    if (!spec) return unknown(type, item->name, err);
    if (spec->kind == PR_PARAM_UINT && (!parse_uint(&v, item->value) || v < spec->min || v > spec->max))
        return pr_fail(err, PR_ERR_USAGE,
                       "parameter '%s' of job type %s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64,
                       spec->name, type->name, item->value, spec->min, spec->max);
    if (spec->kind == PR_PARAM_PATH && !item->value[0])
        return pr_fail(err, PR_ERR_USAGE, "parameter '%s' of job type %s: a path may not be empty", spec->name,
                       type->name);
    return PR_OK;
}

/* ---- rules ---- */

static size_t find_item(const pr_params *params, const char *name) {
    size_t i = 0;
    while (i < params->n && strcmp(params->items[i].name, name) != 0) i++;
    return i;
}

static pr_status check_one_of(const pr_job_type *type, const pr_params *params, const pr_param_rule *rule, size_t *at,
                              pr_error *err) {
    char names[256];
    size_t found = params->n;
    pr_list_names(names, sizeof names, rule->names);
    for (size_t i = 0; i < params->n; i++) {
        size_t k = 0;
        while (rule->names[k] && strcmp(rule->names[k], params->items[i].name) != 0) k++;
        if (!rule->names[k]) continue;
        if (found < params->n) {
            *at = i;
            return pr_fail(err, PR_ERR_USAGE, "parameter '%s' of job type %s excludes '%s'; allowed: one of %s",
                           params->items[i].name, type->name, params->items[found].name, names);
        }
        found = i;
    }
    if (found < params->n || rule->kind == PR_RULE_AT_MOST_ONE) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "job type %s needs one of the parameters %s", type->name, names);
}

static pr_status check_needs(const pr_job_type *type, const pr_params *params, const pr_param_rule *rule, size_t *at,
                             pr_error *err) {
    size_t item = find_item(params, rule->names[0]);
    if (item == params->n || find_item(params, rule->names[1]) < params->n) return PR_OK;
    *at = item;
    return pr_fail(err, PR_ERR_USAGE, "parameter '%s' of job type %s needs the parameter '%s', which is missing",
                   rule->names[0], type->name, rule->names[1]);
}

static pr_status check_choice(const pr_job_type *type, const pr_params *params, const pr_param_rule *rule, size_t *at,
                              pr_error *err) {
    char names[256];
    size_t item = find_item(params, rule->names[0]);
    if (item == params->n) return PR_OK;
    for (size_t k = 1; rule->names[k]; k++)
        if (strcmp(params->items[item].value, rule->names[k]) == 0) return PR_OK;
    pr_list_names(names, sizeof names, rule->names + 1);
    *at = item;
    return pr_fail(err, PR_ERR_USAGE, "parameter '%s' of job type %s: '%s' is none of %s", rule->names[0], type->name,
                   params->items[item].value, names);
}

static pr_status check_only_with(const pr_job_type *type, const pr_params *params, const pr_param_rule *rule,
                                 size_t *at, pr_error *err) {
    char names[256];
    size_t item = find_item(params, rule->names[0]);
    const char *value = pr_params_get(type, params, rule->names[1]);
    if (item == params->n) return PR_OK;
    for (size_t k = 2; rule->names[k]; k++)
        if (value && strcmp(value, rule->names[k]) == 0) return PR_OK;
    pr_list_names(names, sizeof names, rule->names + 2);
    *at = item;
    return pr_fail(err, PR_ERR_USAGE, "parameter '%s' of job type %s means nothing with %s '%s'; allowed with: %s",
                   rule->names[0], type->name, rule->names[1], value ? value : "", names);
}

static pr_status check_rule(const pr_job_type *type, const pr_params *params, const pr_param_rule *rule, size_t *at,
                            pr_error *err) {
    switch (rule->kind) {
    case PR_RULE_NEEDS:
        return check_needs(type, params, rule, at, err);
    case PR_RULE_CHOICE:
        return check_choice(type, params, rule, at, err);
    case PR_RULE_ONLY_WITH:
        return check_only_with(type, params, rule, at, err);
    default:
        return check_one_of(type, params, rule, at, err);
    }
}

/* ---- all ---- */

pr_status pr_params_check(const pr_job_type *type, const pr_params *params, size_t *index, pr_error *err) {
    size_t ignored;
    size_t *at = index ? index : &ignored;
    for (*at = 0; *at < params->n; ++*at) {
        PR_TRY(check_item(type, &params->items[*at], err));
        for (size_t k = 0; k < *at; k++)
            if (!strcmp(params->items[k].name, params->items[*at].name))
                return pr_fail(err, PR_ERR_USAGE, "parameter '%s' is given twice", params->items[*at].name);
    }
    for (size_t i = 0; i < type->n_params; i++)
        if (type->params[i].required && !find_value(params, type->params[i].name))
            return pr_fail(err, PR_ERR_USAGE, "job type %s needs the parameter '%s': %s", type->name,
                           type->params[i].name, type->params[i].help);
    for (size_t i = 0; i < type->n_rules; i++) PR_TRY(check_rule(type, params, &type->rules[i], at, err));
    return PR_OK;
}

const char *pr_params_get(const pr_job_type *type, const pr_params *params, const char *name) {
    const char *value = find_value(params, name);
    const pr_param_spec *spec = find_spec(type, name);
    return value ? value : spec ? spec->default_text : NULL;
}

uint64_t pr_params_get_uint(const pr_job_type *type, const pr_params *params, const char *name) {
    const char *text = pr_params_get(type, params, name);
    uint64_t v = 0;
    return text && parse_uint(&v, text) ? v : 0;
}
