/* Which GPUs a rank sees. */
#include "placement/internal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_gpu_env pr_gpu_env_get(void) {
    return (pr_gpu_env){getenv("CUDA_VISIBLE_DEVICES"), getenv("SLURM_STEP_GPUS"), getenv("SLURM_JOB_GPUS")};
}

void pr_gpu_list_pci(pr_gpu_list *list, const pr_topology *t) {
    memset(list, 0, sizeof *list);
    for (size_t i = 0; i < t->n_gpus; i++) {
        pr_gpu *gpu = &list->gpus[i];
        memcpy(gpu->bus_id, t->gpus[i].bus_id, sizeof gpu->bus_id);
        memcpy(gpu->name, t->gpus[i].name, sizeof gpu->name);
        snprintf(gpu->token, sizeof gpu->token, "%zu", i);
        list->physical[i] = (uint32_t)i;
    }
    list->n = list->n_physical = (uint32_t)t->n_gpus;
}

bool pr_gpu_same(const pr_gpu *a, const pr_gpu *b) {
    if (a->uuid[0] && b->uuid[0]) return strcmp(a->uuid, b->uuid) == 0;
    if (a->bus_id[0] && b->bus_id[0]) return strcmp(a->bus_id, b->bus_id) == 0 && a->is_mig == b->is_mig;
    return strcmp(a->token, b->token) == 0;
}

/* ---- lists of devices ---- */

enum { TOKEN = 64 };

/* The next entry between commas, without blanks around it; false at the end. */
static bool next_entry(char out[TOKEN], const char **text) {
    const char *p = *text;
    if (!p || !*p) return false;
    size_t n = strcspn(p, ",");
    *text = p[n] ? p + n + 1 : p + n;
    while (n && isspace((unsigned char)*p)) p++, n--;
    while (n && isspace((unsigned char)p[n - 1])) n--;
    snprintf(out, TOKEN, "%.*s", n < TOKEN ? (int)n : TOKEN - 1, p);
    return true;
}

static unsigned count_entries(const char *text) {
    char entry[TOKEN];
    unsigned n = 0;
    while (next_entry(entry, &text)) n++;
    return n;
}

static bool is_index(const char *entry, unsigned long *out) {
    char *end;
    if (!isdigit((unsigned char)entry[0])) return false;
    *out = strtoul(entry, &end, 10);
    return !*end;
}

/* Slurm writes indices, also as ranges: "0-3,6". */
static bool slurm_index(const char *text, unsigned position, unsigned long *out) {
    pr_mask indices;
    unsigned k = 0;
    if (!text || !pr_mask_parse(&indices, text)) return false;
    for (unsigned i = 0; i < PR_MAX_CPUS; i++)
        if (pr_mask_has(&indices, i) && k++ == position) return *out = i, true;
    return false;
}

static unsigned slurm_count(const char *text) {
    pr_mask indices;
    return text && pr_mask_parse(&indices, text) ? pr_mask_count(&indices) : 0;
}

static const pr_gpu *by_index(const pr_gpu_list *list, unsigned long index) {
    for (uint32_t i = 0; i < list->n; i++)
        if (list->physical[i] == index) return &list->gpus[i];
    return NULL;
}

/* CUDA takes shortened UUIDs as long as they name one device; MIG-GPU-<uuid>/<instance>/<instance> is the older form.
 */
static const pr_gpu *by_uuid(const pr_gpu_list *list, const char *uuid) {
    const pr_gpu *found = NULL;
    for (uint32_t i = 0; i < list->n; i++) {
        if (strncmp(list->gpus[i].uuid, uuid, strlen(uuid)) != 0) continue;
        if (found) return NULL;
        found = &list->gpus[i];
    }
    return found;
}

static void note(pr_request *r, const char *text, const char *entry) {
    size_t at = strlen(r->note);
    snprintf(r->note + at, sizeof r->note - at, "%s%s '%s'", at ? "; " : "", text, entry);
}

static bool seen(const pr_request *r, const pr_gpu *gpu) {
    for (uint32_t i = 0; i < r->n_gpus; i++)
        if (pr_gpu_same(&r->gpus[i], gpu)) return true;
    return false;
}

/* Slurm's list of this step when it has as many entries as CUDA's: position by position the same devices. */
static const char *slurm_list(const pr_gpu_env *env, unsigned n_visible) {
    if (slurm_count(env->slurm_step_gpus) == n_visible) return env->slurm_step_gpus;
    if (!env->slurm_step_gpus && slurm_count(env->slurm_job_gpus) == n_visible) return env->slurm_job_gpus;
    return NULL;
}

typedef struct chooser {
    pr_request *r;
    const pr_gpu_list *list;
    const char *slurm; /* indices on the node, NULL: not told, or not needed because NVML counts as CUDA does */
    unsigned position;
} chooser;

/* NVML lists what the cgroup leaves, as CUDA does; the PCI bus shows all, and only Slurm knows which they are. */
static const pr_gpu *find_index(const chooser *c, unsigned long index) {
    unsigned long on_node;
    if (c->slurm && slurm_index(c->slurm, c->position, &on_node)) index = on_node;
    return by_index(c->list, index);
}

/* A device that cannot be looked up (a UUID without NVML) is still the rank's own. */
static bool unplaced(pr_gpu *out, const chooser *c, const char *entry) {
    unsigned long on_node;
    const pr_gpu *whole;
    bool mig = strncmp(entry, "MIG-", 4) == 0;
    if (c->list->by_nvml || (!mig && strncmp(entry, "GPU-", 4) != 0)) return false;
    memset(out, 0, sizeof *out);
    if (!mig && c->slurm && slurm_index(c->slurm, c->position, &on_node) && (whole = by_index(c->list, on_node)))
        *out = *whole;
    out->is_mig = mig;
    memcpy(out->uuid, entry, TOKEN);
    if (!out->bus_id[0]) note(c->r, "without NVML the place is not known of GPU", entry);
    return true;
}

/* False where CUDA stops reading the list. */
static bool choose_entry(chooser *c, const char *entry) {
    unsigned long index = 0;
    pr_gpu gpu;
    bool number = is_index(entry, &index);
    const pr_gpu *found = number ? find_index(c, index) : entry[0] ? by_uuid(c->list, entry) : NULL;
    if (found)
        gpu = *found;
    else if (!unplaced(&gpu, c, entry)) {
        if (strcmp(entry, "-1") != 0 && strcmp(entry, "NoDevFiles") != 0)
            note(c->r, "CUDA_VISIBLE_DEVICES names no GPU of this node, nor does what follows:", entry);
        return false;
    }
    if (!found || !gpu.uuid[0]) memcpy(gpu.token, entry, TOKEN);
    if (seen(c->r, &gpu))
        note(c->r, "CUDA_VISIBLE_DEVICES names a GPU twice:", entry);
    else
        c->r->gpus[c->r->n_gpus++] = gpu;
    c->position++;
    return true;
}

void pr_gpus_choose(pr_request *r, const pr_gpu_list *list, const pr_gpu_env *env) {
    char entry[TOKEN];
    const char *visible = env->cuda_visible_devices, *rest = visible;
    r->n_gpus = 0;
    if (!visible) {
        r->n_gpus = list->n;
        memcpy(r->gpus, list->gpus, sizeof r->gpus);
        return;
    }
    chooser c = {.r = r, .list = list};
    if (!list->by_nvml) c.slurm = slurm_list(env, count_entries(visible));
    while (r->n_gpus < PR_MAX_GPUS && next_entry(entry, &rest))
        if (!choose_entry(&c, entry)) break;
}
