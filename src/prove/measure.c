/* Times of stages by the device's own events. */
#include "prove/internal.h"
#include <stdlib.h>
#include <string.h>

bool pr_prover_measure_device(pr_prover *p, pr_device_times *times) {
    p->device_times = p->ops->meter ? times : NULL;
    return p->ops->meter != NULL;
}

pr_status pr_prover_measure_copies(pr_prover *p, double *bytes_a_second, pr_error *err) {
    return p->ops->meter->copy_rate(p->device, bytes_a_second, err);
}

static bool has_room(pr_prover *p) {
    if (p->n_marks < p->mark_capacity) return true;
    size_t capacity = p->mark_capacity ? 2 * p->mark_capacity : 64;
    pr_device_mark *marks = realloc(p->marks, capacity * sizeof *marks);
    if (!marks) return false;
    p->marks = marks;
    p->mark_capacity = capacity;
    return true;
}

void pr_prover_mark(pr_prover *p, pr_stage stage) {
    const pr_meter *meter = p->ops->meter;
    if (!p->device_times || p->mark_status != PR_OK) return;
    p->mark_status = has_room(p) ? meter->mark(p->device, p->n_marks, NULL) : PR_ERR_MEMORY;
    if (p->mark_status == PR_OK) p->marks[p->n_marks++] = (pr_device_mark){stage, meter->moved_bytes(p->device)};
}

static void add_up(pr_prover *p, const uint64_t *ns) {
    pr_device_times *t = p->device_times;
    memset(t, 0, sizeof *t);
    for (size_t k = 0; k + 1 < p->n_marks; k++) {
        t->ns[p->marks[k].stage] += ns[k];
        t->moved_bytes[p->marks[k].stage] += p->marks[k + 1].moved_bytes - p->marks[k].moved_bytes;
    }
}

pr_status pr_prover_read_marks(pr_prover *p, pr_error *err) {
    if (!p->device_times) return PR_OK;
    pr_prover_mark(p, PR_STAGE_COUNT);
    uint64_t *ns = calloc(p->n_marks + 1, sizeof *ns);
    pr_status status = ns ? p->mark_status : PR_ERR_MEMORY;
    if (status == PR_OK)
        status = p->ops->meter->read_marks(p->device, ns, p->n_marks, err);
    else
        (void)pr_fail(err, status, "the device's times could not be taken");
    if (status == PR_OK) add_up(p, ns);
    free(ns);
    return status;
}
