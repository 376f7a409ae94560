/* Parameters of a job, and the product of those that are lists. */
#include "manifest/internal.h"
#include "job/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sweep {
    pr_loader *l;
    const pr_yaml *job, *params;
    const pr_job_type *type;
    const pr_common *common;
    const char *id;
    size_t n, total; /* parameters; jobs */
    bool has_list;
} sweep;

static const pr_param_spec *find_spec(const pr_job_type *type, const char *name) {
    for (size_t i = 0; i < type->n_params; i++)
        if (strcmp(type->params[i].name, name) == 0) return &type->params[i];
    return NULL;
}

static bool check_value(const sweep *s, const pr_yaml *value, const char *name) {
    char what[96], shown[72];
    snprintf(what, sizeof what, "parameter `%s`", pr_yaml_show(shown, name));
    if (!pr_loader_expect(s->l, value, PR_YAML_SCALAR, what)) return false;
    const pr_param_spec *spec = find_spec(s->type, name);
    bool may_be_empty = spec && spec->kind == PR_PARAM_ANY_TEXT;
    if (spec && spec->kind == PR_PARAM_UINT && !value->plain)
        pr_loader_problem(s->l, value->line, value->column,
                          "%s is a text in quotes; allowed: an integer without quotes", what);
    else if (!value->text[0] && !may_be_empty)
        pr_loader_problem(s->l, value->line, value->column, "%s has no value", what);
    else if (!value->text[0] && value->plain)
        pr_loader_problem(s->l, value->line, value->column, "%s has no value; an empty text is written \"\"", what);
    else if (strlen(value->text) > PR_MANIFEST_MAX_VALUE)
        pr_loader_problem(s->l, value->line, value->column, "%s is longer than %d bytes", what, PR_MANIFEST_MAX_VALUE);
    else
        return true;
    return false;
}

/* All values of one parameter; counts them into the product. */
static bool check_item(sweep *s, const pr_yaml_item *item) {
    const char *name = item->key->text;
    if (item->value->kind != PR_YAML_LIST) return check_value(s, item->value, name);
    s->has_list = true;
    char shown[72];
    if (item->value->n == 0) {
        pr_loader_problem(s->l, item->value->line, item->value->column,
                          "the list of parameter `%s` is empty; a sweep needs a value", pr_yaml_show(shown, name));
        return false;
    }
    for (size_t i = 0; i < item->value->n; i++)
        if (!check_value(s, item->value->items[i].value, name)) return false;
    if (s->total > PR_MANIFEST_MAX_JOBS / item->value->n)
        s->total = (size_t)PR_MANIFEST_MAX_JOBS + 1;
    else
        s->total *= item->value->n;
    return true;
}

static bool check_items(sweep *s) {
    if (!s->params) return true;
    if (!pr_loader_expect(s->l, s->params, PR_YAML_MAP, "params")) return false;
    s->n = s->params->n;
    for (size_t i = 0; i < s->n; i++)
        if (!check_item(s, &s->params->items[i])) return false;
    if (s->total <= PR_MANIFEST_MAX_JOBS - s->l->m->n_jobs) return true;
    pr_loader_problem(s->l, s->params->line, s->params->column, "the sweep makes too many jobs; allowed: %u in all",
                      PR_MANIFEST_MAX_JOBS);
    return false;
}

/* The value of parameter i in the k-th job: the last list varies fastest. */
static const pr_yaml *value_at(const sweep *s, size_t i, size_t k) {
    for (size_t j = s->n; j-- > i;) {
        const pr_yaml *value = s->params->items[j].value;
        if (value->kind != PR_YAML_LIST) continue;
        if (j == i) return value->items[k % value->n].value;
        k /= value->n;
    }
    return s->params->items[i].value;
}

static bool check_params(const sweep *s, const pr_params *params, size_t k) {
    size_t index = params->n;
    pr_error e = {0};
    if (pr_params_check(s->type, params, &index, &e) == PR_OK) return true;
    const pr_yaml *place = s->params ? s->params : s->job;
    if (index < params->n) {
        /* an unknown name is the key's fault, a bad value the value's */
        place = find_spec(s->type, params->items[index].name) ? value_at(s, index, k) : s->params->items[index].key;
    }
    pr_loader_problem(s->l, place->line, place->column, "%s", e.text);
    return false;
}

static bool fill_params(const sweep *s, pr_params *params, size_t k) {
    pr_param *items = calloc(s->n ? s->n : 1, sizeof *items);
    if (!items) {
        s->l->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < s->n; i++) items[i] = (pr_param){s->params->items[i].key->text, value_at(s, i, k)->text};
    *params = (pr_params){s->l->m->base_dir, s->n, items};
    return check_params(s, params, k);
}

static char *make_id(const sweep *s, size_t k) {
    size_t size = strlen(s->id) + 24;
    char *id = malloc(size);
    if (!id)
        s->l->out_of_memory = true;
    else if (s->has_list)
        snprintf(id, size, "%s-%zu", s->id, k + 1);
    else
        memcpy(id, s->id, strlen(s->id) + 1);
    return id;
}

static bool make_room(pr_loader *l) {
    if (l->m->n_jobs < l->capacity) return true;
    size_t room = l->capacity ? 2 * l->capacity : 16;
    pr_manifest_job *grown = realloc(l->m->jobs, room * sizeof *grown);
    if (!grown) {
        l->out_of_memory = true;
        return false;
    }
    l->m->jobs = grown;
    l->capacity = room;
    return true;
}

static bool append_job(const sweep *s, size_t k) {
    if (!make_room(s->l)) return false;
    pr_manifest_job *job = &s->l->m->jobs[s->l->m->n_jobs];
    memset(job, 0, sizeof *job);
    job->type = s->type;
    job->profile = s->common->profile;
    job->config = s->common->config;
    job->priority = s->common->priority;
    job->retries = s->common->retries;
    job->time_limit_ns = s->common->time_limit_ns;
    job->deadline_ns = s->common->deadline_ns;
    job->deadline_wall_ns = s->common->deadline_wall_ns;
    job->encrypt_to = s->common->encrypt_to;
    job->line = s->job->line;
    job->column = s->job->column;
    job->id = make_id(s, k);
    s->l->m->n_jobs++; /* from here on pr_manifest_clear frees it */
    if (!job->id || !fill_params(s, &job->params, k)) return false;
    job->content = pr_job_content_hash(job->type, &job->params, &job->config);
    return true;
}

void pr_sweep_expand(pr_loader *l, const pr_yaml *job, const char *id, const pr_job_type *type, const pr_common *common,
                     const pr_yaml *params) {
    sweep s = {.l = l, .job = job, .params = params, .type = type, .common = common, .id = id, .total = 1};
    if (!check_items(&s)) return;
    /* one problem a sweep: the same fault in a thousand jobs is told once */
    for (size_t k = 0; k < s.total; k++)
        if (!append_job(&s, k)) return;
}
