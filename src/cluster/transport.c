#include "cluster/transport.h"
#include "base/clock.h"
#include "cluster/frame.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PR_TAG 7
#define PR_WINDOW 4u                                    /* frames on their way to one rank */
#define PR_MAX_ARRIVALS 64u                             /* receives at a time: bounds memory at 64 MiB */
#define PR_END_NS ((uint64_t)10 * 1000000000u)          /* what goes to a rank that is lost may never leave */
#define PR_END_TOGETHER_NS ((uint64_t)60 * 1000000000u) /* all are there, but some may not have had their turn */

struct pr_parcel { /* a message that is being sent */
    struct pr_parcel *next;
    pr_writer bytes;
    size_t offset;
    uint32_t id;
};
struct pr_queue {
    struct pr_parcel *first, *last;
};
struct pr_lane {
    struct pr_queue small, large;
    unsigned in_flight;
    int next_active;
    bool active, forgotten;
    bool refused; /* by MPI, and not yet told */
    uint32_t next_id;
    pr_joiner joiner;
};
struct pr_flight { /* a frame on its way */
    struct pr_flight *next;
    MPI_Request request;
    pr_writer frame;
    int to;
};
struct pr_arrival { /* a frame, or in the inbox a message */
    struct pr_arrival *next;
    MPI_Request request;
    uint8_t *data;
    size_t size;
    int from;
};

static pr_status fail_mpi(pr_error *err, int code, const char *what) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    MPI_Error_string(code, text, &n);
    return pr_fail(err, PR_ERR_MPI, "%s: %s", what, text);
}

pr_status pr_transport_init(pr_transport *t, pr_error *err) {
    memset(t, 0, sizeof *t);
    int code = MPI_Comm_dup(MPI_COMM_WORLD, &t->comm);
    if (code != MPI_SUCCESS) return fail_mpi(err, code, "MPI_Comm_dup");
    MPI_Comm_set_errhandler(t->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(t->comm, &t->rank);
    MPI_Comm_size(t->comm, &t->size);
    t->first_active = -1;
    t->arrivals_end = &t->arrivals;
    t->inbox_end = &t->inbox;
    t->lanes = calloc((size_t)t->size, sizeof *t->lanes);
    return t->lanes ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for %d ranks", t->size);
}

/* ---- sending ---- */

static void free_parcel(struct pr_parcel *p) {
    pr_writer_clear(&p->bytes);
    free(p);
}

static void push(struct pr_queue *q, struct pr_parcel *p) {
    p->next = NULL;
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
}

static struct pr_parcel *pop(struct pr_queue *q) {
    struct pr_parcel *p = q->first;
    if (p) q->first = p->next;
    if (!q->first) q->last = NULL;
    return p;
}

static void empty(struct pr_queue *q) {
    for (struct pr_parcel *p; (p = pop(q));) free_parcel(p);
}

static void activate(pr_transport *t, int to) {
    struct pr_lane *lane = &t->lanes[to];
    if (lane->active) return;
    lane->active = true;
    lane->next_active = t->first_active;
    t->first_active = to;
}

static pr_status put_in_inbox(pr_transport *t, pr_writer *bytes, pr_error *err) {
    struct pr_arrival *a = calloc(1, sizeof *a);
    if (!a) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message");
    a->data = bytes->data;
    a->size = bytes->size;
    a->from = t->rank;
    pr_writer_init(bytes); /* its memory is the arrival's now */
    *t->inbox_end = a;
    t->inbox_end = &a->next;
    return PR_OK;
}

static pr_status put_in_lane(pr_transport *t, int to, pr_writer *bytes, pr_error *err) {
    struct pr_lane *lane = &t->lanes[to];
    struct pr_parcel *p = calloc(1, sizeof *p);
    if (!p) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message");
    p->bytes = *bytes;
    p->id = lane->next_id++;
    pr_writer_init(bytes);
    push(p->bytes.size + PR_FRAME_HEADER_BYTES <= PR_FRAME_BYTES ? &lane->small : &lane->large, p);
    activate(t, to);
    return PR_OK;
}

/* What MPI refuses to send will never arrive, nor be understood what comes after it: the rank is out of reach. */
static void refuse(pr_transport *t, int to) {
    t->lanes[to].refused = t->any_refused = true;
    pr_transport_forget(t, to);
}

/* One frame of the lane's next message. */
static pr_status launch(pr_transport *t, int to, pr_error *err) {
    struct pr_lane *lane = &t->lanes[to];
    struct pr_queue *q = lane->small.first ? &lane->small : &lane->large;
    struct pr_flight *f = calloc(1, sizeof *f);
    if (!f) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message");
    struct pr_parcel *p = pop(q);
    pr_writer_init(&f->frame);
    pr_frame_next(&f->frame, p->bytes.data, p->bytes.size, p->id, &p->offset);
    size_t size = f->frame.size;
    f->to = to;
    if (p->offset < p->bytes.size)
        push(q, p); /* the large ones take turns */
    else
        free_parcel(p);
    int code = f->frame.failed ? MPI_ERR_NO_MEM
                               : MPI_Isend(f->frame.data, (int)size, MPI_BYTE, to, PR_TAG, t->comm, &f->request);
    if (code != MPI_SUCCESS) {
        bool no_memory = f->frame.failed;
        pr_writer_clear(&f->frame);
        free(f);
        if (no_memory) return fail_mpi(err, code, "sending");
        refuse(t, to);
        return PR_OK;
    }
    f->next = t->flights;
    t->flights = f;
    lane->in_flight++;
    t->bytes_sent += size;
    return PR_OK;
}

static bool has_something(const struct pr_lane *lane) { return lane->small.first || lane->large.first; }

/* Forgets frames that have left. A send that fails is a rank that is not there: noticed by its silence. */
static void land(pr_transport *t) {
    for (struct pr_flight **at = &t->flights; *at;) {
        struct pr_flight *f = *at;
        int done = 0;
        if (MPI_Test(&f->request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
            at = &f->next;
            continue;
        }
        t->lanes[f->to].in_flight--;
        *at = f->next;
        pr_writer_clear(&f->frame);
        free(f);
    }
}

static pr_status progress(pr_transport *t, pr_error *err) {
    land(t);
    for (int *at = &t->first_active; *at >= 0;) {
        int to = *at;
        struct pr_lane *lane = &t->lanes[to];
        while (has_something(lane) && lane->in_flight < PR_WINDOW) PR_TRY(launch(t, to, err));
        if (has_something(lane)) {
            at = &lane->next_active;
            continue;
        }
        *at = lane->next_active;
        lane->active = false;
    }
    return PR_OK;
}

pr_status pr_transport_send(pr_transport *t, int to, const pr_wire *message, pr_error *err) {
    pr_writer bytes;
    PR_ASSERT(to >= 0 && to < t->size);
    if (t->lanes[to].forgotten) return PR_OK;
    pr_writer_init(&bytes);
    pr_wire_encode(&bytes, message);
    pr_status status = PR_OK;
    if (bytes.failed || bytes.size > PR_FRAME_MAX_MESSAGE)
        status = pr_fail(err, bytes.failed ? PR_ERR_MEMORY : PR_ERR_INTERNAL, "a %s message is too large",
                         pr_wire_type_name(message->type));
    else
        status = to == t->rank ? put_in_inbox(t, &bytes, err) : put_in_lane(t, to, &bytes, err);
    pr_writer_clear(&bytes);
    pr_transport_busy(t);
    return status == PR_OK ? progress(t, err) : status;
}

void pr_transport_forget(pr_transport *t, int rank) {
    t->lanes[rank].forgotten = true;
    empty(&t->lanes[rank].small);
    empty(&t->lanes[rank].large);
}

bool pr_transport_take_refused(pr_transport *t, int *rank) {
    if (!t->any_refused) return false;
    for (*rank = 0; *rank < t->size; ++*rank) {
        if (!t->lanes[*rank].refused) continue;
        t->lanes[*rank].refused = false;
        return true;
    }
    return t->any_refused = false;
}

void pr_transport_know(pr_transport *t, int rank) { t->lanes[rank].forgotten = false; }

/* Frames to the forgotten may never leave: nobody waits for them. */
bool pr_transport_is_quiet(const pr_transport *t) {
    for (const struct pr_flight *f = t->flights; f; f = f->next)
        if (!t->lanes[f->to].forgotten) return false;
    for (int to = t->first_active; to >= 0; to = t->lanes[to].next_active)
        if (has_something(&t->lanes[to])) return false;
    return true;
}

/* ---- receiving ---- */

static void free_arrival(struct pr_arrival *a) {
    free(a->data);
    free(a);
}

/* Begins a receive for what MPI announces. */
static pr_status accept_one(pr_transport *t, bool *more, pr_error *err) {
    MPI_Message handle;
    MPI_Status status;
    int there = 0, n = 0;
    int code = MPI_Improbe(MPI_ANY_SOURCE, PR_TAG, t->comm, &there, &handle, &status);
    if (code != MPI_SUCCESS) return fail_mpi(err, code, "waiting for messages");
    *more = there != 0;
    if (!there) return PR_OK;
    MPI_Get_count(&status, MPI_BYTE, &n);
    struct pr_arrival *a = calloc(1, sizeof *a);
    if (!a || !(a->data = malloc((size_t)n + 1))) {
        free(a);
        return pr_fail(err, PR_ERR_MEMORY, "a message of %d bytes from rank %d", n, status.MPI_SOURCE);
    }
    a->size = (size_t)n;
    a->from = status.MPI_SOURCE;
    code = MPI_Imrecv(a->data, n, MPI_BYTE, &handle, &a->request);
    if (code != MPI_SUCCESS) {
        free_arrival(a);
        return fail_mpi(err, code, "receiving");
    }
    *t->arrivals_end = a;
    t->arrivals_end = &a->next;
    t->n_arrivals++;
    return PR_OK;
}

static pr_status accept_all(pr_transport *t, pr_error *err) {
    bool more = true;
    while (more && t->n_arrivals < PR_MAX_ARRIVALS) PR_TRY(accept_one(t, &more, err));
    return PR_OK;
}

static bool has_older_from(const pr_transport *t, const struct pr_arrival *a) {
    for (const struct pr_arrival *p = t->arrivals; p != a; p = p->next)
        if (p->from == a->from) return true;
    return false;
}

/* The oldest frame that is complete, frames of one rank in order; NULL: none. */
static struct pr_arrival *take_arrival(pr_transport *t, int *code) {
    *code = MPI_SUCCESS;
    for (struct pr_arrival **at = &t->arrivals; *at; at = &(*at)->next) {
        struct pr_arrival *a = *at;
        int done = 0;
        if (has_older_from(t, a)) continue;
        *code = MPI_Test(&a->request, &done, MPI_STATUS_IGNORE);
        if (*code == MPI_SUCCESS && !done) continue;
        *at = a->next;
        if (!*at) t->arrivals_end = at;
        t->n_arrivals--;
        return a;
    }
    return NULL;
}

static struct pr_arrival *take_inbox(pr_transport *t) {
    struct pr_arrival *a = t->inbox;
    if (!a) return NULL;
    t->inbox = a->next;
    if (!t->inbox) t->inbox_end = &t->inbox;
    return a;
}

static pr_status decode(pr_wire *message, bool *got, uint8_t **buffer, uint8_t *data, size_t size, pr_error *err) {
    pr_status status = pr_wire_decode(message, data, size, err);
    if (status == PR_OK) {
        *got = true;
        *buffer = data;
    } else {
        free(data);
    }
    return status;
}

static pr_status join(pr_transport *t, const struct pr_arrival *a, bool *got, pr_wire *message, uint8_t **buffer,
                      pr_error *err) {
    uint8_t *data;
    size_t size;
    t->bytes_received += a->size;
    PR_TRY(pr_joiner_add(&t->lanes[a->from].joiner, a->data, a->size, &data, &size, err));
    return data ? decode(message, got, buffer, data, size, err) : PR_OK;
}

static pr_status from_inbox(bool *got, pr_wire *message, uint8_t **buffer, struct pr_arrival *a, pr_error *err) {
    uint8_t *data = a->data;
    a->data = NULL;
    return decode(message, got, buffer, data, a->size, err);
}

pr_status pr_transport_poll(pr_transport *t, bool *got, int *from, pr_wire *message, uint8_t **buffer, pr_error *err) {
    int code = MPI_SUCCESS;
    pr_status status = PR_OK;
    *got = false;
    *from = -1;
    *buffer = NULL;
    PR_TRY(progress(t, err));
    struct pr_arrival *a = take_inbox(t);
    if (a) {
        *from = a->from;
        status = from_inbox(got, message, buffer, a, err);
        free_arrival(a);
    }
    while (!*got && status == PR_OK) {
        PR_TRY(accept_all(t, err));
        if (!(a = take_arrival(t, &code))) break;
        *from = a->from;
        status = code == MPI_SUCCESS ? join(t, a, got, message, buffer, err) : fail_mpi(err, code, "receiving");
        free_arrival(a);
        pr_transport_busy(t);
    }
    if (*got || status != PR_OK) pr_transport_busy(t);
    return status;
}

/* ---- the end ---- */

static pr_status drop_arrivals(pr_transport *t, pr_error *err) {
    int code;
    struct pr_arrival *a;
    do {
        PR_TRY(accept_all(t, err));
        if ((a = take_arrival(t, &code))) free_arrival(a);
    } while (a);
    return PR_OK;
}

/* One look of pr_transport_end; *all: the barrier, once it has begun. */
static pr_status end_if_quiet(pr_transport *t, bool together, MPI_Request *all, bool *ended, pr_error *err) {
    int code = MPI_SUCCESS, done = 0;
    PR_TRY(progress(t, err));
    PR_TRY(drop_arrivals(t, err));
    if (*all == MPI_REQUEST_NULL) {
        if (!pr_transport_is_quiet(t)) return PR_OK;
        *ended = !together;
        if (together) code = MPI_Ibarrier(t->comm, all);
    } else if ((code = MPI_Test(all, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS) {
        *ended = done != 0;
    }
    return code == MPI_SUCCESS ? PR_OK : fail_mpi(err, code, "waiting for the end of all ranks");
}

pr_status pr_transport_end(pr_transport *t, bool together, bool *quiet, pr_error *err) {
    uint64_t end = pr_clock_monotonic_ns() + (together ? PR_END_TOGETHER_NS : PR_END_NS);
    MPI_Request all = MPI_REQUEST_NULL;
    *quiet = false;
    pr_transport_busy(t);
    PR_TRY(end_if_quiet(t, together, &all, quiet, err));
    while (!*quiet && pr_clock_monotonic_ns() < end) {
        pr_transport_idle(t);
        PR_TRY(end_if_quiet(t, together, &all, quiet, err));
    }
    return PR_OK;
}

void pr_transport_busy(pr_transport *t) { t->idle_ms = 0; }

double pr_transport_pause_ms(pr_transport *t) {
    t->idle_ms = t->idle_ms < 0.1 ? 0.1 : t->idle_ms < 3 ? t->idle_ms * 1.6 : 5;
    return t->idle_ms;
}

void pr_transport_idle(pr_transport *t) {
    const struct timespec pause = {0, (long)(pr_transport_pause_ms(t) * 1e6)};
    nanosleep(&pause, NULL);
}

/* Frames that never left stay with MPI: their memory is not ours to free. */
void pr_transport_clear(pr_transport *t, bool collective) {
    for (struct pr_arrival *a; (a = take_inbox(t));) free_arrival(a);
    for (int rank = 0; t->lanes && rank < t->size; rank++) {
        pr_transport_forget(t, rank);
        pr_joiner_clear(&t->lanes[rank].joiner);
    }
    free(t->lanes);
    t->lanes = NULL;
    if (t->size && collective) MPI_Comm_free(&t->comm);
}
