#include "air/job_type.h"
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
