#include "simulate/internal.h"
#include <stdlib.h>

static bool earlier(const pr_event *a, const pr_event *b) {
    return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

void pr_event_put(pr_event_queue *q, pr_event event) {
    if (q->n == q->room) {
        size_t room = q->room ? 2 * q->room : 1024;
        pr_event *items = realloc(q->items, room * sizeof *items);
        q->failed |= !items;
        if (!items) return;
        q->items = items;
        q->room = room;
    }
    event.sequence = q->sequence++;
    size_t i = q->n++;
    for (; i > 0 && earlier(&event, &q->items[(i - 1) / 2]); i = (i - 1) / 2) q->items[i] = q->items[(i - 1) / 2];
    q->items[i] = event;
}

bool pr_event_take(pr_event_queue *q, pr_event *out) {
    if (q->n == 0) return false;
    *out = q->items[0];
    pr_event last = q->items[--q->n];
    size_t i = 0;
    for (size_t child = 1; child < q->n; i = child, child = 2 * i + 1) {
        if (child + 1 < q->n && earlier(&q->items[child + 1], &q->items[child])) child++;
        if (!earlier(&q->items[child], &last)) break;
        q->items[i] = q->items[child];
    }
    q->items[i] = last;
    return true;
}

void pr_event_clear(pr_event_queue *q) { free(q->items); }
