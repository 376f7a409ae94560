/* Which jobs wait for which: ids to ranges of jobs, and no cycles. All jobs of a sweep wait for the same. */
#include "manifest/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_after_add_group(pr_loader *l, const char *id, size_t first, const pr_yaml *after) {
    pr_manifest *m = l->m;
    if (m->n_groups == l->group_capacity) {
        size_t room = l->group_capacity ? 2 * l->group_capacity : 16;
        pr_manifest_group *groups = realloc(m->groups, room * sizeof *groups);
        if (groups) m->groups = groups;
        const pr_yaml **nodes = groups ? realloc(l->group_after, room * sizeof *nodes) : NULL;
        if (nodes) l->group_after = nodes;
        l->out_of_memory |= !nodes;
        if (!nodes) return;
        l->group_capacity = room;
    }
    l->group_after[m->n_groups] = after;
    m->groups[m->n_groups++] =
        (pr_manifest_group){.id = id, .first = (uint32_t)first, .count = (uint32_t)(m->n_jobs - first)};
}

static int compare_groups(const void *a, const void *b) {
    const pr_manifest_group *x = *(const pr_manifest_group *const *)a, *y = *(const pr_manifest_group *const *)b;
    return strcmp(x->id, y->id);
}

typedef struct resolver {
    pr_loader *l;
    pr_manifest_group **by_id;  /* [n_groups] sorted */
    uint32_t *entered, *parent; /* [n_groups] of the search for cycles */
    size_t *next;               /* [n_groups] the `after` to be looked at */
} resolver;

/* Groups first .. are in order and cover all jobs. */
static uint32_t group_of(const pr_manifest *m, uint32_t job) {
    size_t low = 0, high = m->n_groups;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (m->groups[middle].first <= job)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static const pr_yaml *item_of(const pr_yaml *after, size_t k) {
    return after->kind == PR_YAML_LIST ? after->items[k].value : after;
}

static void unknown_id(resolver *r, const pr_yaml *node) {
    char shown[72];
    pr_loader_problem(r->l, node->line, node->column,
                      "after names `%s`, which is the id of no job; allowed: an id of this manifest (of a sweep, or of "
                      "one of its jobs such as fib-2)",
                      pr_yaml_show(shown, node->text));
}

/* The jobs that an id names. */
static bool find_range(resolver *r, pr_manifest_range *out, const pr_yaml *node) {
    const pr_manifest *m = r->l->m;
    pr_manifest_group key = {.id = node->text}, *key_pointer = &key;
    pr_manifest_group **found = bsearch(&key_pointer, r->by_id, m->n_groups, sizeof *found, compare_groups);
    const pr_manifest_job *job = pr_manifest_find(m, node->text);
    if (!found && !job) return unknown_id(r, node), false;
    size_t at = found ? (size_t)(found - r->by_id) : 0;
    bool twice = found && ((at > 0 && !strcmp(r->by_id[at - 1]->id, node->text)) ||
                           (at + 1 < m->n_groups && !strcmp(r->by_id[at + 1]->id, node->text)));
    bool job_of_other = found && job && group_of(m, (uint32_t)(job - m->jobs)) != (size_t)(*found - m->groups);
    if (twice || job_of_other) {
        char shown[72];
        pr_loader_problem(r->l, node->line, node->column,
                          "after names `%s`, which stands for a sweep and for another job; give one of them another id",
                          pr_yaml_show(shown, node->text));
        return false;
    }
    *out = found ? (pr_manifest_range){(*found)->first, (*found)->count}
                 : (pr_manifest_range){(uint32_t)(job - m->jobs), 1};
    return true;
}

static void resolve_group(resolver *r, size_t g) {
    pr_manifest *m = r->l->m;
    pr_manifest_group *group = &m->groups[g];
    const pr_yaml *after = r->l->group_after[g];
    size_t n = !after ? 0 : after->kind == PR_YAML_LIST ? after->n : 1;
    if (n == 0) return;
    group->after = calloc(n, sizeof *group->after);
    r->l->out_of_memory |= !group->after;
    if (!group->after) return;
    bool good = true;
    for (size_t k = 0; k < n; k++) good &= find_range(r, &group->after[k], item_of(after, k));
    group->n_after = good ? n : 0;
    for (uint32_t j = group->first; j < group->first + group->count; j++) {
        m->jobs[j].after = group->after;
        m->jobs[j].n_after = group->n_after;
    }
}

/* "a after b after a": from the group that closes the circle back to itself. */
static void tell_cycle(resolver *r, uint32_t from, uint32_t to) {
    const pr_manifest *m = r->l->m;
    uint32_t path[8];
    size_t n = 0, left_out = 0;
    for (uint32_t g = from; g != to; g = r->parent[g])
        if (n < sizeof path / sizeof *path)
            path[n++] = g;
        else
            left_out++;
    char text[700];
    size_t at = (size_t)snprintf(text, sizeof text, "`%.60s`", m->groups[to].id);
    if (left_out) at += (size_t)snprintf(text + at, sizeof text - at, ", which waits for %zu others", left_out);
    while (n-- > 0)
        at += (size_t)snprintf(text + at, sizeof text - at, ", which waits for `%.60s`", m->groups[path[n]].id);
    const pr_yaml *node = item_of(r->l->group_after[from], r->next[from] - 1);
    pr_loader_problem(r->l, node->line, node->column, "`%.60s` waits for %s: jobs that wait for each other never start",
                      m->groups[from].id, text);
}

enum { FRESH = 0, OPEN = 1, CLOSED = 2 };

/* Depth first from one group, without recursion: a chain may be as long as the manifest. False: a cycle, told. */
static bool search_from(resolver *r, uint32_t start) {
    pr_manifest_group *groups = r->l->m->groups;
    r->entered[start] = OPEN;
    for (uint32_t g = start;;) {
        if (r->next[g] < groups[g].n_after) {
            uint32_t to = group_of(r->l->m, groups[g].after[r->next[g]++].first);
            if (r->entered[to] == OPEN) return tell_cycle(r, g, to), false;
            if (r->entered[to] == CLOSED) continue;
            r->entered[to] = OPEN;
            r->parent[to] = g;
            g = to;
        } else {
            r->entered[g] = CLOSED;
            if (g == start) return true;
            g = r->parent[g];
        }
    }
}

static void resolve(resolver *r) {
    pr_manifest *m = r->l->m;
    for (size_t g = 0; g < m->n_groups; g++) r->by_id[g] = &m->groups[g];
    qsort(r->by_id, m->n_groups, sizeof(pr_manifest_group *), compare_groups);
    for (size_t g = 0; g < m->n_groups; g++) resolve_group(r, g);
    if (r->l->n_problems || r->l->out_of_memory) return;
    for (uint32_t g = 0; g < m->n_groups; g++)
        if (r->entered[g] == FRESH && !search_from(r, g)) return;
}

void pr_after_resolve(pr_loader *l) {
    size_t room = l->m->n_groups ? l->m->n_groups : 1;
    resolver r = {.l = l,
                  .by_id = calloc(room, sizeof(pr_manifest_group *)),
                  .entered = calloc(room, sizeof(uint32_t)),
                  .parent = calloc(room, sizeof(uint32_t)),
                  .next = calloc(room, sizeof(size_t))};
    if (r.by_id && r.entered && r.parent && r.next)
        resolve(&r);
    else
        l->out_of_memory = true;
    free(r.by_id);
    free(r.entered);
    free(r.parent);
    free(r.next);
}

/* ---- back to text ---- */

/* The group that begins with this job, or NULL: groups stand in the order of their jobs. */
static const pr_manifest_group *group_that_is(const pr_manifest *m, const pr_manifest_range *range) {
    size_t low = 0, high = m->n_groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->groups[middle].first < range->first)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < m->n_groups && m->groups[low].first == range->first && m->groups[low].count == range->count;
    return found ? &m->groups[low] : NULL;
}

void pr_manifest_describe_after(char *out, size_t size, const pr_manifest *m, const pr_manifest_job *job) {
    size_t at = 0;
    out[0] = 0;
    for (size_t k = 0; k < job->n_after && at < size; k++) {
        const pr_manifest_group *group = group_that_is(m, &job->after[k]);
        const char *id = group ? group->id : m->jobs[job->after[k].first].id;
        int n = snprintf(out + at, size - at, "%s%s", k ? "," : "", id);
        at += n > 0 ? (size_t)n : 0;
    }
}
