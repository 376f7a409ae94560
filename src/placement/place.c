/* A place on its way to the prover child, and its use there. */
#include "placement/internal.h"
#include <errno.h>
#include <hwloc.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST = 24576 }; /* 4096 processors, every second one */

char *pr_place_format(const pr_place *p) {
    size_t size = 2 * LIST + 256;
    char *text = malloc(size), *cpus = malloc(LIST), *nodes = malloc(LIST);
    if (text && cpus && nodes) {
        pr_mask_format(cpus, LIST, &p->cpus);
        pr_mask_format(nodes, LIST, &p->nodes);
        snprintf(text, size, "cpus=%s;nodes=%s;threads=%u;bytes=%" PRIu64 ";gpu=%s;bus=%s", cpus, nodes, p->n_threads,
                 p->host_bytes, p->has_gpu ? p->gpu.token : "", p->has_gpu && !p->gpu.is_mig ? p->gpu.bus_id : "");
    } else {
        free(text);
        text = NULL;
    }
    free(cpus);
    free(nodes);
    return text;
}

/* The value after "key=", up to ';' or the end, as a heap copy; *text moves behind it. NULL: not so. */
static char *take_value(const char **text, const char *key) {
    size_t n = strlen(key);
    if (strncmp(*text, key, n) != 0 || (*text)[n] != '=') return NULL;
    const char *value = *text + n + 1;
    size_t length = strcspn(value, ";");
    *text = value + length + (value[length] == ';');
    return strndup(value, length);
}

static bool take_mask(pr_mask *out, const char **text, const char *key) {
    char *value = take_value(text, key);
    bool ok = value && pr_mask_parse(out, value);
    free(value);
    return ok;
}

static bool take_number(uint64_t *out, const char **text, const char *key) {
    char *value = take_value(text, key), *end = value;
    errno = 0;
    if (value && value[0] >= '0' && value[0] <= '9') *out = strtoull(value, &end, 10);
    bool ok = value && end != value && !*end && errno == 0;
    free(value);
    return ok;
}

static bool take_text(char *out, size_t size, const char **text, const char *key) {
    char *value = take_value(text, key);
    bool ok = value && strlen(value) < size;
    if (ok) snprintf(out, size, "%s", value);
    free(value);
    return ok;
}

static bool take_gpu(pr_place *p, const char **text) {
    bool ok = take_text(p->gpu.token, sizeof p->gpu.token, text, "gpu") &&
              take_text(p->gpu.bus_id, sizeof p->gpu.bus_id, text, "bus") && !**text;
    p->has_gpu = ok && p->gpu.token[0];
    return ok;
}

pr_status pr_place_parse(pr_place *p, const char *text, pr_error *err) {
    const char *at = text;
    uint64_t threads = 0;
    memset(p, 0, sizeof *p);
    bool ok = take_mask(&p->cpus, &at, "cpus") && take_mask(&p->nodes, &at, "nodes") &&
              take_number(&threads, &at, "threads") && take_number(&p->host_bytes, &at, "bytes") && take_gpu(p, &at);
    if (!ok || pr_mask_empty(&p->cpus) || threads == 0 || threads > INT_MAX)
        return pr_fail(err, PR_ERR_MALFORMED, "'%.200s' is no place of a prover", text);
    p->n_threads = (unsigned)threads;
    return PR_OK;
}

/* ---- binding ---- */

static pr_status bind_cpus(const pr_mask *cpus, pr_error *err) {
    size_t size = CPU_ALLOC_SIZE(PR_MAX_CPUS);
    cpu_set_t *set = CPU_ALLOC(PR_MAX_CPUS);
    if (!set) return pr_fail(err, PR_ERR_MEMORY, "out of memory");
    CPU_ZERO_S(size, set);
    for (unsigned i = 0; i < PR_MAX_CPUS; i++)
        if (pr_mask_has(cpus, i)) CPU_SET_S(i, size, set);
    int failed = sched_setaffinity(0, size, set);
    CPU_FREE(set);
    if (failed) return pr_fail(err, PR_ERR_INTERNAL, "sched_setaffinity: %s", strerror(errno));
    return PR_OK;
}

static int prefer(hwloc_topology_t hw, const pr_mask *nodes) {
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    if (!set) return -1;
    for (unsigned i = 0; i < PR_MAX_CPUS; i++)
        if (pr_mask_has(nodes, i)) hwloc_bitmap_set(set, i);
    int failed = hwloc_set_membind(hw, set, HWLOC_MEMBIND_BIND, HWLOC_MEMBIND_BYNODESET);
    hwloc_bitmap_free(set);
    return failed;
}

/* Without the strict flag hwloc asks Linux for a preference: what does not fit goes elsewhere. */
static void bind_memory(const pr_mask *nodes, char *note, size_t n_note) {
    hwloc_topology_t hw;
    if (hwloc_topology_init(&hw) != 0) return;
    hwloc_topology_set_all_types_filter(hw, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
    int failed = hwloc_topology_load(hw);
    if (!failed) failed = prefer(hw, nodes);
    if (failed) snprintf(note, n_note, "memory is not bound to its NUMA node: %s", strerror(errno));
    hwloc_topology_destroy(hw);
}

pr_status pr_place_apply(const pr_place *p, char *note, size_t n_note, pr_error *err) {
    note[0] = 0;
    PR_TRY(bind_cpus(&p->cpus, err));
    if (!pr_mask_empty(&p->nodes)) bind_memory(&p->nodes, note, n_note);
    if (setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1) != 0 ||
        setenv("CUDA_VISIBLE_DEVICES", p->has_gpu ? p->gpu.token : "", 1) != 0 ||
        setenv("PROVERUN_GPU", p->has_gpu ? p->gpu.bus_id : "", 1) != 0)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory");
    return PR_OK;
}
