#include "placement/internal.h"
#include <hwloc.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NVIDIA = 0x10de, CLASS_VGA = 0x0300, CLASS_3D = 0x0302, MAX_XML_BYTES = 64 << 20 };

bool pr_bus_id_normalise(char out[20], const char *text) {
    unsigned domain = 0, bus, device, function;
    int end = 0;
    bool full = sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) == 4 && !text[end];
    if (!full) {
        domain = 0;
        end = 0;
        if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 || text[end]) return false;
    }
    snprintf(out, 20, "%04x:%02x:%02x.%x", domain, bus, device, function);
    return true;
}

/* ---- from hwloc to plain data ---- */

static pr_status take_bitmap(pr_mask *out, hwloc_const_bitmap_t set, pr_error *err) {
    memset(out, 0, sizeof *out);
    if (hwloc_bitmap_weight(set) < 0 || hwloc_bitmap_last(set) >= PR_MAX_CPUS)
        return pr_fail(err, PR_ERR_USAGE, "the machine has processors numbered %d or more", PR_MAX_CPUS);
    for (int i = hwloc_bitmap_first(set); i >= 0; i = hwloc_bitmap_next(set, i)) pr_mask_set(out, (unsigned)i);
    return PR_OK;
}

static unsigned count(hwloc_topology_t hw, hwloc_obj_type_t type) {
    int n = hwloc_get_nbobjs_by_type(hw, type);
    return n > 0 ? (unsigned)n : 0;
}

static pr_status take_numa(pr_topology *t, hwloc_topology_t hw, pr_error *err) {
    unsigned n = count(hw, HWLOC_OBJ_NUMANODE);
    t->numa = calloc(n ? n : 1, sizeof *t->numa);
    if (!t->numa) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the topology");
    for (unsigned i = 0; i < n; i++) {
        hwloc_obj_t obj = hwloc_get_obj_by_type(hw, HWLOC_OBJ_NUMANODE, i);
        if (hwloc_bitmap_iszero(obj->cpuset)) continue;
        if (obj->os_index >= PR_MAX_CPUS)
            return pr_fail(err, PR_ERR_USAGE, "the machine has a NUMA node numbered %u", obj->os_index);
        pr_numa *numa = &t->numa[t->n_numa++];
        numa->index = obj->os_index;
        numa->bytes = obj->attr->numanode.local_memory;
        PR_TRY(take_bitmap(&numa->cpus, obj->cpuset, err));
    }
    return PR_OK;
}

static unsigned unit_of(hwloc_topology_t hw, hwloc_obj_t obj, hwloc_obj_type_t type) {
    hwloc_obj_t up = hwloc_get_ancestor_obj_by_type(hw, type, obj);
    return up ? up->logical_index : UINT_MAX;
}

static unsigned numa_of(const pr_topology *t, const pr_core *core) {
    for (size_t i = 0; i < t->n_numa; i++)
        if (pr_mask_meets(&t->numa[i].cpus, &core->cpus)) return (unsigned)i;
    return UINT_MAX;
}

static int by_units(const void *a, const void *b) {
    const pr_core *x = a, *y = b;
    for (int k = 0; k < PR_LEVELS; k++)
        if (x->unit[k] != y->unit[k]) return x->unit[k] < y->unit[k] ? -1 : 1;
    for (size_t i = 0; i < sizeof x->cpus.word / sizeof *x->cpus.word; i++) {
        uint64_t lowest = (x->cpus.word[i] | y->cpus.word[i]) & -(x->cpus.word[i] | y->cpus.word[i]);
        if (lowest) return x->cpus.word[i] & lowest ? -1 : 1;
    }
    return 0;
}

static pr_status take_cores(pr_topology *t, hwloc_topology_t hw, pr_error *err) {
    hwloc_obj_t before = NULL;
    t->n_cpus = count(hw, HWLOC_OBJ_PU);
    t->cores = calloc(t->n_cpus ? t->n_cpus : 1, sizeof *t->cores);
    if (!t->cores) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the topology");
    for (unsigned i = 0; i < t->n_cpus; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PU, i);
        hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(hw, HWLOC_OBJ_CORE, pu);
        if (!obj) obj = pu;
        if (obj == before) continue;
        before = obj;
        pr_core *core = &t->cores[t->n_cores++];
        PR_TRY(take_bitmap(&core->cpus, obj->cpuset, err));
        core->unit[PR_LEVEL_PACKAGE] = unit_of(hw, obj, HWLOC_OBJ_PACKAGE);
        core->unit[PR_LEVEL_NUMA] = numa_of(t, core);
        core->unit[PR_LEVEL_L3] = unit_of(hw, obj, HWLOC_OBJ_L3CACHE);
    }
    qsort(t->cores, t->n_cores, sizeof *t->cores, by_units);
    return PR_OK;
}

static int by_bus(const void *a, const void *b) {
    return strcmp(((const pr_pci_gpu *)a)->bus_id, ((const pr_pci_gpu *)b)->bus_id);
}

static pr_status take_gpus(pr_topology *t, hwloc_topology_t hw, pr_error *err) {
    for (hwloc_obj_t obj = NULL; (obj = hwloc_get_next_pcidev(hw, obj)) && t->n_gpus < PR_MAX_GPUS;) {
        const struct hwloc_pcidev_attr_s *pci = &obj->attr->pcidev;
        if (pci->vendor_id != NVIDIA || (pci->class_id != CLASS_VGA && pci->class_id != CLASS_3D)) continue;
        pr_pci_gpu *gpu = &t->gpus[t->n_gpus++];
        snprintf(gpu->bus_id, sizeof gpu->bus_id, "%04x:%02x:%02x.%x", (unsigned)pci->domain, (unsigned)pci->bus,
                 (unsigned)pci->dev, (unsigned)pci->func);
        snprintf(gpu->name, sizeof gpu->name, "NVIDIA [%04x:%04x]", (unsigned)pci->vendor_id, (unsigned)pci->device_id);
        PR_TRY(take_bitmap(&gpu->cpus, hwloc_get_non_io_ancestor_obj(hw, obj)->cpuset, err));
    }
    qsort(t->gpus, t->n_gpus, sizeof *t->gpus, by_bus);
    return PR_OK;
}

static pr_status take_all(pr_topology *t, hwloc_topology_t hw, pr_error *err) {
    t->n_packages = count(hw, HWLOC_OBJ_PACKAGE);
    PR_TRY(take_bitmap(&t->cpus, hwloc_topology_get_topology_cpuset(hw), err));
    PR_TRY(take_bitmap(&t->allowed, hwloc_topology_get_allowed_cpuset(hw), err));
    PR_TRY(take_bitmap(&t->nodes, hwloc_topology_get_allowed_nodeset(hw), err));
    PR_TRY(take_numa(t, hw, err));
    PR_TRY(take_cores(t, hw, err));
    if (!t->n_cores || pr_mask_empty(&t->allowed)) return pr_fail(err, PR_ERR_USAGE, "no processors");
    return take_gpus(t, hw, err);
}

/* ---- loading ---- */

/* hwloc takes the live machine for a file that it cannot read: look at it first, and hand over the bytes. */
static pr_status set_xml(hwloc_topology_t hw, const char *path, pr_error *err) {
    uint8_t *text;
    size_t size;
    if (pr_file_read(&text, &size, path, MAX_XML_BYTES, err) != PR_OK) {
        err->status = PR_ERR_USAGE;
        return PR_ERR_USAGE;
    }
    pr_status status = PR_OK;
    if (!size)
        status = pr_fail(err, PR_ERR_USAGE, "%s: the file is empty", path);
    else if (strlen((char *)text) != size || !strstr((char *)text, "<topology"))
        status = pr_fail(err, PR_ERR_USAGE, "%s: not a topology as `lstopo %s` writes it", path, "--of xml");
    else if (hwloc_topology_set_xmlbuffer(hw, (char *)text, (int)size + 1) != 0)
        status = pr_fail(err, PR_ERR_USAGE, "%s: hwloc %s cannot read this XML", path, HWLOC_VERSION);
    free(text);
    return status;
}

static pr_status set_source(hwloc_topology_t hw, pr_topology_source source, const char *text, pr_error *err) {
    if (source == PR_TOPOLOGY_XML) return set_xml(hw, text, err);
    if (source == PR_TOPOLOGY_SYNTHETIC && hwloc_topology_set_synthetic(hw, text) != 0)
        return pr_fail(err, PR_ERR_USAGE, "'%s': not a synthetic topology, such as 'pack:2 numa:2 l3:2 core:4 pu:2'",
                       text);
    return PR_OK;
}

/* Components that would start GPU runtimes in this process, which is no prover, or load libraries for devices that
 * Linux tells as well. A name that this hwloc does not have is ignored. */
static void leave_out_components(hwloc_topology_t hw) {
    static const char *const names[] = {"cuda", "nvml", "opencl", "gl", "rsmi", "levelzero", "pci"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        hwloc_topology_set_components(hw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, names[i]);
}

/* The XML reader complains about versions only now. */
static pr_status load(hwloc_topology_t hw, pr_topology_source source, const char *text, pr_error *err) {
    leave_out_components(hw);
    hwloc_topology_set_flags(hw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_io_types_filter(hw, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    if (hwloc_topology_load(hw) != 0)
        return pr_fail(err, source == PR_TOPOLOGY_LIVE ? PR_ERR_INTERNAL : PR_ERR_USAGE,
                       "%s: hwloc %s cannot load this topology%s", text ? text : "live machine", HWLOC_VERSION,
                       source == PR_TOPOLOGY_XML ? " (damaged, or of another version: lstopo --export-xml-flags v2)"
                                                 : "");
    bool live = hwloc_topology_is_thissystem(hw) != 0;
    if (source == PR_TOPOLOGY_LIVE && !live)
        return pr_fail(err, PR_ERR_USAGE,
                       "HWLOC_XMLFILE, HWLOC_SYNTHETIC or HWLOC_FSROOT in the environment replaces this machine by "
                       "another: unset it");
    if (source != PR_TOPOLOGY_LIVE && live && !getenv("HWLOC_THISSYSTEM"))
        return pr_fail(err, PR_ERR_USAGE, "%s: hwloc took the live machine instead", text);
    return PR_OK;
}

pr_status pr_topology_load(pr_topology **out, pr_topology_source source, const char *text, pr_error *err) {
    hwloc_topology_t hw;
    pr_error local;
    if (!err) err = &local;
    pr_topology *t = calloc(1, sizeof *t);
    if (!t || hwloc_topology_init(&hw) != 0) {
        free(t);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for the topology");
    }
    t->live = source == PR_TOPOLOGY_LIVE;
    pr_status status = set_source(hw, source, text, err);
    if (status == PR_OK) status = load(hw, source, text, err);
    if (status == PR_OK && (status = take_all(t, hw, err)) != PR_OK && text) pr_fail_context(err, "%s", text);
    hwloc_topology_destroy(hw);
    if (status != PR_OK) {
        pr_topology_destroy(t);
        return status;
    }
    *out = t;
    return PR_OK;
}

void pr_topology_destroy(pr_topology *t) {
    if (!t) return;
    free(t->cores);
    free(t->numa);
    free(t);
}

static void say(pr_writer *out, size_t n, const char *noun) {
    pr_write_format(out, "%zu %s%s, ", n, noun, n == 1 ? "" : "s");
}

void pr_topology_describe(pr_writer *out, const pr_topology *t) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->n_numa; i++) bytes += t->numa[i].bytes;
    say(out, t->n_packages, "package");
    say(out, t->n_numa, "NUMA node");
    say(out, t->n_cores, "core");
    say(out, t->n_cpus, "processor");
    if (t->n_gpus) say(out, t->n_gpus, "GPU");
    pr_write_format(out, "%.1f GB", (double)bytes / 1e9);
}
