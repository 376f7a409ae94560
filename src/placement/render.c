#include "placement/internal.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LIST = 256 };

static void write_bytes(pr_writer *out, uint64_t bytes) {
    if (bytes) pr_write_format(out, "  %.1f GB", (double)bytes / 1e9);
}

/* ---- drawing ---- */

static void draw_gpu(pr_writer *out, const pr_place *p) {
    const pr_gpu *g = &p->gpu;
    pr_write_format(out, "  GPU %s", g->bus_id[0] ? g->bus_id : g->token);
    if (g->is_mig) pr_write_format(out, " slice %s", g->uuid);
    if (p->gpu_sharers > 1) pr_write_format(out, " (1/%u)", p->gpu_sharers);
    write_bytes(out, p->device_bytes);
}

static void draw_place(pr_writer *out, const pr_place *p) {
    char cpus[LIST];
    pr_mask_format(cpus, sizeof cpus, &p->cpus);
    pr_write_format(out, "  rank %-4d", p->rank);
    if (p->has_gpu) draw_gpu(out, p);
    pr_write_format(out, "  processors %s  %u thread%s", cpus, p->n_threads, p->n_threads == 1 ? "" : "s");
    write_bytes(out, p->host_bytes);
    pr_write_format(out, "\n             %s\n", p->why);
}

static bool drawn(const pr_placement *p, unsigned i) {
    for (unsigned k = 0; k < i; k++)
        if (pr_mask_equal(&p->places[k].nodes, &p->places[i].nodes)) return true;
    return false;
}

/* "NUMA node 0, processors 0-7, 68.7 GB" */
static void draw_nodes(pr_writer *out, const pr_mask *nodes, const pr_topology *t) {
    char list[LIST];
    uint64_t bytes = 0;
    pr_mask cpus = {0};
    for (size_t k = 0; k < t->n_numa; k++) {
        if (!pr_mask_has(nodes, t->numa[k].index)) continue;
        bytes += t->numa[k].bytes;
        pr_mask_or(&cpus, &cpus, &t->numa[k].cpus);
    }
    pr_mask_format(list, sizeof list, nodes);
    unsigned n = pr_mask_count(nodes);
    pr_write_format(out, n == 0 ? "no NUMA node of its own\n" : "NUMA node%s %s", n == 1 ? "" : "s", list);
    if (n == 0) return;
    pr_mask_format(list, sizeof list, &cpus);
    pr_write_format(out, "  processors %s", list);
    write_bytes(out, bytes);
    pr_write_format(out, "\n");
}

void pr_placement_draw(pr_writer *out, const pr_placement *p, const pr_topology *t) {
    pr_write_format(out, "%s: ", p->host);
    pr_topology_describe(out, t);
    pr_write_format(out, "\n%u rank%s, %u proving; %u of %u cores used", p->n_places, p->n_places == 1 ? "" : "s",
                    p->n_provers, p->n_cores - p->n_idle_cores, p->n_cores);
    if (p->n_gpus) pr_write_format(out, "; %u of %u GPUs used", p->n_gpus - p->n_idle_gpus, p->n_gpus);
    if (p->host_bytes) pr_write_format(out, "; %.1f GB for proofs", (double)p->host_bytes / 1e9);
    pr_write_format(out, "\n");
    for (unsigned i = 0; i < p->n_places; i++) {
        if (drawn(p, i)) continue;
        draw_nodes(out, &p->places[i].nodes, t);
        for (unsigned k = i; k < p->n_places; k++)
            if (pr_mask_equal(&p->places[k].nodes, &p->places[i].nodes)) draw_place(out, &p->places[k]);
    }
    for (const char *line = p->advice; *line;) {
        size_t n = strcspn(line, "\n");
        pr_write_format(out, "advice: %.*s\n", (int)n, line);
        line += n + (line[n] != 0);
    }
}

/* ---- JSON ---- */

static json_t *mask_json(const pr_mask *m) {
    char list[16384];
    pr_mask_format(list, sizeof list, m);
    return json_string(list);
}

static json_t *gpu_json(const pr_place *p) {
    if (!p->has_gpu) return json_null();
    const pr_gpu *g = &p->gpu;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:I}", "bus_id", g->bus_id, "uuid", g->uuid, "visible_devices",
                     g->token, "name", g->name, "mig", (int)g->is_mig, "sharers", (int)p->gpu_sharers, "bytes",
                     (json_int_t)p->device_bytes);
}

static json_t *place_json(const pr_place *p) {
    return json_pack("{s:i, s:b, s:o, s:o, s:o, s:i, s:i, s:b, s:I, s:s}", "rank", p->rank, "proves", (int)p->proves,
                     "gpu", gpu_json(p), "cpus", mask_json(&p->cpus), "numa_nodes", mask_json(&p->nodes), "cores",
                     (int)p->n_cores, "threads", (int)p->n_threads, "shares_cores", (int)p->shares_cores, "host_bytes",
                     (json_int_t)p->host_bytes, "why", p->why);
}

static json_t *plan_json(const pr_placement *p, const pr_topology *t) {
    json_t *places = json_array();
    for (unsigned i = 0; places && i < p->n_places; i++) json_array_append_new(places, place_json(&p->places[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:b, s:s, s:o}", "host", p->host,
                     "packages", (int)t->n_packages, "numa_nodes", (int)t->n_numa, "processors", (int)t->n_cpus,
                     "provers", (int)p->n_provers, "cores", (int)p->n_cores, "idle_cores", (int)p->n_idle_cores,
                     "gpus_on_bus", (int)t->n_gpus, "gpus", (int)p->n_gpus, "idle_gpus", (int)p->n_idle_gpus,
                     "host_bytes", (json_int_t)p->host_bytes, "device_bytes", (json_int_t)p->device_bytes,
                     "one_core_trap", (int)p->one_core_trap, "advice", p->advice, "ranks", places);
}

void pr_placement_json(pr_writer *out, const pr_placement *p, const pr_topology *t) {
    json_t *plan = plan_json(p, t);
    char *text = plan ? json_dumps(plan, JSON_COMPACT) : NULL;
    if (text)
        pr_write_format(out, "%s\n", text);
    else
        out->failed = true;
    free(text);
    json_decref(plan);
}
