/* What people read of a plan. */
#include "placement/internal.h"
#include <stdio.h>
#include <string.h>

static unsigned cores_in(const pr_topology *t, const pr_mask *cpus) {
    unsigned n = 0;
    for (size_t c = 0; c < t->n_cores; c++) n += pr_mask_meets(&t->cores[c].cpus, cpus);
    return n;
}

static void advise(pr_placement *p, const char *line) {
    size_t at = strlen(p->advice);
    snprintf(p->advice + at, sizeof p->advice - at, "%s%s", at ? "\n" : "", line);
}

/* ---- why a rank is where it is ---- */

static void explain_share(char *out, size_t size, const pr_draft *d, const pr_topology *t, const char *where) {
    if (d->n_group == 1)
        snprintf(out, size, "%s are its own", where);
    else
        snprintf(out, size, "%s are divided between %u ranks (%u cores)", where, d->n_group, cores_in(t, &d->near));
}

static void explain_gpu(char *out, size_t size, const pr_place *p, const pr_draft *d, const pr_mask *near) {
    char cpus[64];
    pr_mask_format(cpus, sizeof cpus, near);
    if (!p->gpu.bus_id[0])
        snprintf(out, size, "the place of its GPU is not known; the processors that it was given");
    else if (d->far)
        snprintf(out, size, "its GPU is near processors %s, but it was given others; those", cpus);
    else
        snprintf(out, size, "%sprocessors %s, near its GPU,", p->gpu_sharers > 1 ? "its GPU is shared; " : "", cpus);
}

static void explain_place(pr_place *p, const pr_draft *d, const pr_topology *t, const pr_request *r,
                          const pr_placement_options *o) {
    char where[160];
    if (!p->proves) {
        snprintf(p->why, sizeof p->why, "coordinates only: no core is kept for it");
        return;
    }
    if (p->has_gpu)
        explain_gpu(where, sizeof where, p, d, pr_gpu_near(&p->gpu, t, o));
    else
        snprintf(where, sizeof where, "%s; the processors that it was given",
                 o->gpu_use == PR_GPU_IGNORE ? "proves on processors"
                 : r->n_gpus                 ? "all GPUs have their rank"
                                             : "sees no GPU");
    if (p->shares_cores)
        snprintf(p->why, sizeof p->why, "%s are too few: it shares cores with other ranks", where);
    else
        explain_share(p->why, sizeof p->why, d, t, where);
}

/* ---- what to change ---- */

/* Every prover on one core, while as many cores again belong to nobody. */
static bool trapped(const pr_placement *p, const pr_draft *drafts, const pr_topology *t) {
    pr_mask bound = {0};
    if (!p->n_provers) return false;
    for (unsigned i = 0; i < p->n_places; i++) {
        if (!p->places[i].proves) continue;
        if (cores_in(t, &drafts[i].given) != 1) return false;
        pr_mask_or(&bound, &bound, &drafts[i].given);
    }
    return p->n_cores >= cores_in(t, &bound) + p->n_provers;
}

static void advise_binding(pr_placement *p) {
    char line[384];
    snprintf(
        line, sizeof line,
        "every rank is bound to one core while %u of %u cores idle (mpirun's default for two ranks or fewer): "
        "start with mpirun --bind-to none, proverun binds its ranks itself; or with --map-by slot:PE=%u; under srun "
        "with --cpus-per-task=%u",
        p->n_idle_cores, p->n_cores, p->n_cores / p->n_provers, p->n_cores / p->n_provers);
    advise(p, line);
}

static void advise_cores(pr_placement *p, const pr_draft *drafts, const pr_placement_options *o) {
    char line[192];
    unsigned sharing = 0;
    for (unsigned i = 0; i < p->n_places; i++) {
        const pr_place *place = &p->places[i];
        sharing += place->shares_cores;
        if (!place->proves || o->threads <= pr_mask_count(&place->cpus)) continue;
        snprintf(line, sizeof line, "rank %d: %u threads on %u processors slow each other down", place->rank,
                 o->threads, pr_mask_count(&place->cpus));
        advise(p, line);
        break;
    }
    if (sharing) {
        snprintf(line, sizeof line, "%u ranks share cores: start fewer ranks, or ask for more cores", sharing);
        advise(p, line);
    }
    for (unsigned i = 0; i < p->n_places; i++)
        if (p->places[i].proves && drafts[i].far) {
            snprintf(line, sizeof line,
                     "rank %d is bound away from its GPU: mpirun --bind-to none, or srun --gpu-bind=closest",
                     p->places[i].rank);
            advise(p, line);
            break;
        }
}

static void advise_gpus(pr_placement *p) {
    char line[128];
    if (!p->n_idle_gpus) return;
    snprintf(line, sizeof line, "%u of %u GPUs have no rank: start %u proving ranks on this node", p->n_idle_gpus,
             p->n_gpus, p->n_gpus);
    advise(p, line);
}

static void advise_notes(pr_placement *p, const pr_request *requests) {
    for (unsigned i = 0; i < p->n_places; i++) {
        char line[224];
        bool told = false;
        for (unsigned k = 0; k < i; k++) told |= strcmp(requests[k].note, requests[i].note) == 0;
        if (!requests[i].note[0] || told) continue;
        snprintf(line, sizeof line, "rank %d: %s", requests[i].rank, requests[i].note);
        advise(p, line);
    }
}

void pr_plan_explain(pr_placement *out, const pr_draft *drafts, const pr_topology *t, const pr_request *requests,
                     const pr_placement_options *o) {
    for (unsigned i = 0; i < out->n_places; i++) explain_place(&out->places[i], &drafts[i], t, &requests[i], o);
    out->one_core_trap = trapped(out, drafts, t);
    if (out->one_core_trap) advise_binding(out);
    advise_cores(out, drafts, o);
    advise_gpus(out);
    advise_notes(out, requests);
}
