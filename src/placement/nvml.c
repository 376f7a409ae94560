/* NVML without its headers: the few functions and structures that are needed, as nvml.h has had them since driver 450.
 */
#include "placement/internal.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct nvml_device *device;

typedef struct nvml_pci {
    char legacy_bus_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} nvml_pci;

typedef struct nvml_memory {
    unsigned long long total, free, used;
} nvml_memory;

typedef struct nvml_utilization {
    unsigned gpu, memory; /* per cent of the last sample period */
} nvml_utilization;

typedef struct nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *n);
    int (*handle)(unsigned index, device *out);
    int (*pci)(device d, nvml_pci *out);
    int (*uuid)(device d, char *out, unsigned size);
    int (*name)(device d, char *out, unsigned size);
    int (*memory)(device d, nvml_memory *out);
    const char *(*error)(int code);
    int (*mig_mode)(device d, unsigned *now, unsigned *pending); /* this and the next two may be missing */
    int (*mig_count)(device d, unsigned *n);
    int (*mig_handle)(device d, unsigned index, device *out);
    int (*utilization)(device d, nvml_utilization *out); /* may be missing */
} nvml;

static bool find(nvml *api, void *function, const char *name) {
    void *found = dlsym(api->library, name);
    memcpy(function, &found, sizeof found); /* C has no cast between data and functions */
    return found != NULL;
}

static bool find_all(nvml *api) {
    bool ok = find(api, &api->init, "nvmlInit_v2");
    ok &= find(api, &api->shutdown, "nvmlShutdown");
    ok &= find(api, &api->count, "nvmlDeviceGetCount_v2");
    ok &= find(api, &api->handle, "nvmlDeviceGetHandleByIndex_v2");
    ok &= find(api, &api->pci, "nvmlDeviceGetPciInfo_v3");
    ok &= find(api, &api->uuid, "nvmlDeviceGetUUID");
    ok &= find(api, &api->name, "nvmlDeviceGetName");
    ok &= find(api, &api->memory, "nvmlDeviceGetMemoryInfo");
    ok &= find(api, &api->error, "nvmlErrorString");
    if (!find(api, &api->mig_mode, "nvmlDeviceGetMigMode") ||
        !find(api, &api->mig_count, "nvmlDeviceGetMaxMigDeviceCount") ||
        !find(api, &api->mig_handle, "nvmlDeviceGetMigDeviceHandleByIndex"))
        api->mig_mode = NULL;
    if (!find(api, &api->utilization, "nvmlDeviceGetUtilizationRates")) api->utilization = NULL;
    return ok;
}

static int read_device(const nvml *api, device d, pr_gpu *gpu) {
    nvml_memory memory;
    char uuid[96] = "", name[96] = "";
    int code = api->uuid(d, uuid, sizeof uuid);
    if (code == 0) code = api->name(d, name, sizeof name);
    if (code != 0) return code;
    snprintf(gpu->uuid, sizeof gpu->uuid, "%.63s", uuid);
    snprintf(gpu->token, sizeof gpu->token, "%.63s", uuid);
    snprintf(gpu->name, sizeof gpu->name, "%.47s", name);
    gpu->bytes = api->memory(d, &memory) == 0 ? memory.free : 0;
    return 0;
}

static pr_gpu *add(pr_gpu_list *list, const char *bus_id) {
    if (list->n == PR_MAX_GPUS) return NULL;
    pr_gpu *gpu = &list->gpus[list->n];
    memset(gpu, 0, sizeof *gpu);
    snprintf(gpu->bus_id, sizeof gpu->bus_id, "%s", bus_id);
    list->physical[list->n++] = list->n_physical;
    return gpu;
}

/* A slot without a slice answers with an error: that is no failure. */
static int read_slices(const nvml *api, device whole, const char *bus_id, pr_gpu_list *list) {
    unsigned n = 0;
    int code = api->mig_count(whole, &n);
    for (unsigned i = 0; code == 0 && i < n; i++) {
        device slice;
        if (api->mig_handle(whole, i, &slice) != 0) continue;
        pr_gpu *gpu = add(list, bus_id);
        if (!gpu) break;
        gpu->is_mig = 1;
        code = read_device(api, slice, gpu);
    }
    return code;
}

static int read_one(const nvml *api, unsigned index, pr_gpu_list *list) {
    device d;
    nvml_pci pci = {0};
    char bus_id[20];
    unsigned now = 0, pending;
    int code = api->handle(index, &d);
    if (code == 0) code = api->pci(d, &pci);
    if (code != 0) return code;
    pci.bus_id[sizeof pci.bus_id - 1] = 0;
    if (!pr_bus_id_normalise(bus_id, pci.bus_id)) bus_id[0] = 0;
    if (api->mig_mode && api->mig_mode(d, &now, &pending) == 0 && now) {
        code = read_slices(api, d, bus_id, list);
    } else {
        pr_gpu *gpu = add(list, bus_id);
        if (gpu) code = read_device(api, d, gpu);
    }
    list->n_physical++;
    return code;
}

static int read_all(const nvml *api, pr_gpu_list *list) {
    unsigned n = 0;
    int code = api->init();
    if (code != 0) return code;
    code = api->count(&n);
    for (unsigned i = 0; code == 0 && i < n; i++) code = read_one(api, i, list);
    api->shutdown();
    return code;
}

bool pr_gpu_list_nvml(pr_gpu_list *list, const char *library, char *note, size_t n_note) {
    nvml api = {.library = dlopen(library, RTLD_NOW | RTLD_LOCAL)};
    bool ok = false;
    memset(list, 0, sizeof *list);
    note[0] = 0;
    if (!api.library) return false;
    if (!find_all(&api)) {
        snprintf(note, n_note, "%s is too old; GPUs taken from PCI", library);
    } else {
        int code = read_all(&api, list);
        ok = list->by_nvml = code == 0;
        if (!ok) snprintf(note, n_note, "NVML: %s; GPUs taken from PCI", api.error(code));
    }
    dlclose(api.library);
    return ok;
}

static bool is_device(const nvml *api, device d, const char *bus_id) {
    nvml_pci pci = {0};
    char its[20];
    if (api->pci(d, &pci) != 0) return false;
    pci.bus_id[sizeof pci.bus_id - 1] = 0;
    return pr_bus_id_normalise(its, pci.bus_id) && strcmp(its, bus_id) == 0;
}

static bool find_device(const nvml *api, device *out, const char *bus_id) {
    unsigned n = 0;
    if (api->count(&n) != 0 || (!bus_id[0] && n != 1)) return false;
    for (unsigned i = 0; i < n; i++)
        if (api->handle(i, out) == 0 && (!bus_id[0] || is_device(api, *out, bus_id))) return true;
    return false;
}

struct pr_gpu_watch {
    nvml api;
    device device;
};

pr_gpu_watch *pr_gpu_watch_open(const char *library, const char *bus_id) {
    nvml api = {.library = dlopen(library, RTLD_NOW | RTLD_LOCAL)};
    char normal[20] = "";
    pr_gpu_watch *w = malloc(sizeof *w);
    bool ok = w && api.library && find_all(&api) && api.utilization;
    ok = ok && (!bus_id[0] || pr_bus_id_normalise(normal, bus_id)) && api.init() == 0;
    if (ok && find_device(&api, &w->device, normal)) {
        w->api = api;
        return w;
    }
    if (ok) api.shutdown();
    if (api.library) dlclose(api.library);
    free(w);
    return NULL;
}

bool pr_gpu_watch_read(const pr_gpu_watch *w, unsigned *percent) {
    nvml_utilization u;
    if (w->api.utilization(w->device, &u) != 0 || u.gpu > 100) return false;
    *percent = u.gpu;
    return true;
}

void pr_gpu_watch_close(pr_gpu_watch *w) {
    if (!w) return;
    w->api.shutdown();
    dlclose(w->api.library);
    free(w);
}
