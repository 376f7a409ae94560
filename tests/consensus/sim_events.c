/* What is to happen, in a binary heap. */
#include "sim.h"
#include <stdlib.h>

sim_event *sim_event_new(sim_event_kind kind, uint32_t node, size_t size) {
    sim_event *event = calloc(1, sizeof *event + size);
    PR_ASSERT(event);
    event->kind = kind;
    event->node = node;
    event->size = size;
    return event;
}

static bool is_before(const sim_event *a, const sim_event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_queue_put(sim_queue *q, sim_event *event, uint64_t at) {
    event->at = at;
    event->order = q->order++;
    if (q->n == q->capacity) {
        q->capacity = q->capacity ? 2 * q->capacity : 1024;
        q->heap = realloc(q->heap, q->capacity * sizeof *q->heap);
        PR_ASSERT(q->heap);
    }
    size_t i = q->n++;
    for (; i > 0 && is_before(event, q->heap[(i - 1) / 2]); i = (i - 1) / 2) q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = event;
}

sim_event *sim_queue_take(sim_queue *q) {
    if (q->n == 0) return NULL;
    sim_event *first = q->heap[0], *last = q->heap[--q->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < q->n && is_before(q->heap[child + 1], q->heap[child])) child++;
        if (child >= q->n || !is_before(q->heap[child], last)) break;
        q->heap[i] = q->heap[child];
        i = child;
    }
    if (q->n > 0) q->heap[i] = last;
    return first;
}

void sim_queue_clear(sim_queue *q) {
    for (size_t i = 0; i < q->n; i++) free(q->heap[i]);
    free(q->heap);
    *q = (sim_queue){0};
}
