/* NVML's functions over a description in FAKE_NVML: a word a GPU, divided by blanks: "bus_id,uuid,free_gib", with
 * "mig" and "/uuid,gib" behind it for each slice. FAKE_NVML_ERROR=1: nvmlInit fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 8, NOT_FOUND = 6, UNKNOWN = 999 };
typedef struct fake {
    char bus_id[32], uuid[80];
    unsigned long long bytes;
    unsigned n_slices;
    int mig;
    struct fake *slices; /* [MAX], NULL for slices */
} fake;
static fake gpus[MAX], all_slices[MAX][MAX];
static unsigned n_gpus;
extern unsigned fake_nvml_begun, fake_nvml_ended; /* for tests: how often */
unsigned fake_nvml_begun, fake_nvml_ended;

typedef struct pci_info {
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char bus_id[32];
} pci_info;
typedef struct memory_info {
    unsigned long long total, free, used;
} memory_info;

typedef struct utilization {
    unsigned gpu, memory;
} utilization;

int nvmlInit_v2(void);
int nvmlShutdown(void);
const char *nvmlErrorString(int code);
int nvmlDeviceGetCount_v2(unsigned *n);
int nvmlDeviceGetHandleByIndex_v2(unsigned i, fake **out);
int nvmlDeviceGetPciInfo_v3(fake *d, pci_info *out);
int nvmlDeviceGetUUID(fake *d, char *out, unsigned size);
int nvmlDeviceGetName(fake *d, char *out, unsigned size);
int nvmlDeviceGetMemoryInfo(fake *d, memory_info *out);
int nvmlDeviceGetMigMode(fake *d, unsigned *now, unsigned *pending);
int nvmlDeviceGetMaxMigDeviceCount(fake *d, unsigned *n);
int nvmlDeviceGetMigDeviceHandleByIndex(fake *d, unsigned i, fake **out);

int nvmlDeviceGetUtilizationRates(const fake *d, utilization *out);

static void read_slices(fake *d, char *text) {
    d->mig = 1;
    for (char *save, *part = strtok_r(text, "/", &save); part && d->n_slices < MAX; part = strtok_r(NULL, "/", &save))
        if (sscanf(part, "%79[^,],%llu", d->slices[d->n_slices].uuid, &d->slices[d->n_slices].bytes) == 2)
            d->slices[d->n_slices++].bytes <<= 30;
}

int nvmlInit_v2(void) {
    const char *text = getenv("FAKE_NVML");
    if (getenv("FAKE_NVML_ERROR") || !text) return UNKNOWN;
    fake_nvml_begun++;
    char *copy = strdup(text);
    memset(gpus, 0, sizeof gpus);
    memset(all_slices, 0, sizeof all_slices);
    n_gpus = 0;
    for (char *save, *word = strtok_r(copy, " ", &save); word && n_gpus < MAX; word = strtok_r(NULL, " ", &save)) {
        fake *d = &gpus[n_gpus];
        d->slices = all_slices[n_gpus++];
        sscanf(word, "%31[^,],%79[^,],%llu", d->bus_id, d->uuid, &d->bytes);
        d->bytes <<= 30;
        char *mig = strstr(word, "mig/");
        if (mig) read_slices(d, mig + 4);
    }
    free(copy);
    return 0;
}

int nvmlShutdown(void) { return fake_nvml_ended++, 0; }
const char *nvmlErrorString(int code) { return code == UNKNOWN ? "Unknown Error" : "Not Found"; }
int nvmlDeviceGetCount_v2(unsigned *n) { return *n = n_gpus, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, fake **out) { return *out = &gpus[i], 0; }

int nvmlDeviceGetPciInfo_v3(fake *d, pci_info *out) {
    memcpy(out->bus_id, d->bus_id, sizeof out->bus_id);
    return d->slices ? 0 : NOT_FOUND;
}

int nvmlDeviceGetUUID(fake *d, char *out, unsigned size) { return snprintf(out, size, "%s", d->uuid), 0; }

int nvmlDeviceGetName(fake *d, char *out, unsigned size) {
    return snprintf(out, size, "Fake H100%s", d->slices ? "" : " MIG 1g"), 0;
}

int nvmlDeviceGetMemoryInfo(fake *d, memory_info *out) {
    *out = (memory_info){.total = 2 * d->bytes, .free = d->bytes, .used = d->bytes};
    return 0;
}

int nvmlDeviceGetMigMode(fake *d, unsigned *now, unsigned *pending) {
    *now = *pending = (unsigned)d->mig;
    return 0;
}

int nvmlDeviceGetMaxMigDeviceCount(fake *d, unsigned *n) {
    (void)d;
    *n = MAX;
    return 0;
}

int nvmlDeviceGetMigDeviceHandleByIndex(fake *d, unsigned i, fake **out) {
    if (i >= d->n_slices) return NOT_FOUND;
    *out = &d->slices[i];
    return 0;
}

/* FAKE_NVML_BUSY: of the first GPU; one less of each of the others. */
int nvmlDeviceGetUtilizationRates(const fake *d, utilization *out) {
    const char *text = getenv("FAKE_NVML_BUSY");
    *out = (utilization){text ? (unsigned)atoi(text) - (unsigned)(d - gpus) : 0, 0};
    return text ? 0 : NOT_FOUND;
}
