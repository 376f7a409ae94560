#include "cluster/transport.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PR_TAG 7

struct pr_pending {
    struct pr_pending *next;
    MPI_Request request;
    pr_writer bytes;
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
    return PR_OK;
}

static void free_pending(struct pr_pending *p) {
    pr_writer_clear(&p->bytes);
    free(p);
}

void pr_transport_clear(pr_transport *t) {
    while (t->sends) {
        struct pr_pending *p = t->sends;
        t->sends = p->next;
        free_pending(p);
    }
    if (t->size) MPI_Comm_free(&t->comm);
}

/* Forgets sends that are complete. */
static pr_status progress(pr_transport *t, pr_error *err) {
    for (struct pr_pending **at = &t->sends; *at;) {
        struct pr_pending *p = *at;
        int done = 0, code = MPI_Test(&p->request, &done, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) return fail_mpi(err, code, "sending");
        if (!done) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        free_pending(p);
    }
    return PR_OK;
}

pr_status pr_transport_send(pr_transport *t, int to, const pr_wire *message, pr_error *err) {
    struct pr_pending *p = calloc(1, sizeof *p);
    if (!p) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a message");
    pr_writer_init(&p->bytes);
    pr_wire_encode(&p->bytes, message);
    if (p->bytes.failed || p->bytes.size > PR_WIRE_MAX_BYTES) {
        pr_status status = p->bytes.failed ? PR_ERR_MEMORY : PR_ERR_INTERNAL;
        free_pending(p);
        return pr_fail(err, status, "a %s message is too large", pr_wire_type_name(message->type));
    }
    int code = MPI_Isend(p->bytes.data, (int)p->bytes.size, MPI_BYTE, to, PR_TAG, t->comm, &p->request);
    if (code != MPI_SUCCESS) {
        free_pending(p);
        return fail_mpi(err, code, "sending");
    }
    p->next = t->sends;
    t->sends = p;
    return progress(t, err);
}

static pr_status receive(pr_transport *t, MPI_Status *status, pr_wire *message, uint8_t **buffer, pr_error *err) {
    int n = 0;
    MPI_Get_count(status, MPI_BYTE, &n);
    uint8_t *bytes = n >= 0 && (size_t)n <= PR_WIRE_MAX_BYTES ? malloc((size_t)n + 1) : NULL;
    if (!bytes) return pr_fail(err, PR_ERR_MEMORY, "a message of %d bytes from rank %d", n, status->MPI_SOURCE);
    int code = MPI_Recv(bytes, n, MPI_BYTE, status->MPI_SOURCE, PR_TAG, t->comm, MPI_STATUS_IGNORE);
    pr_status result = PR_OK;
    if (code != MPI_SUCCESS)
        result = fail_mpi(err, code, "receiving");
    else if (pr_wire_decode(message, bytes, (size_t)n, err) != PR_OK)
        result = err ? pr_fail_context(err, "from rank %d", status->MPI_SOURCE) : PR_ERR_MALFORMED;
    if (result == PR_OK)
        *buffer = bytes;
    else
        free(bytes);
    return result;
}

pr_status pr_transport_poll(pr_transport *t, bool *got, int *from, pr_wire *message, uint8_t **buffer, pr_error *err) {
    int there = 0;
    MPI_Status status;
    *got = false;
    *buffer = NULL;
    PR_TRY(progress(t, err));
    int code = MPI_Iprobe(MPI_ANY_SOURCE, PR_TAG, t->comm, &there, &status);
    if (code != MPI_SUCCESS) return fail_mpi(err, code, "waiting for messages");
    if (!there) return PR_OK;
    *got = true;
    *from = status.MPI_SOURCE;
    t->idle_ms = 0;
    return receive(t, &status, message, buffer, err);
}

pr_status pr_transport_drain(pr_transport *t, pr_error *err) {
    while (t->sends) {
        PR_TRY(progress(t, err));
        if (t->sends) pr_transport_idle(t);
    }
    return PR_OK;
}

void pr_transport_idle(pr_transport *t) {
    t->idle_ms = t->idle_ms < 0.1 ? 0.1 : t->idle_ms < 5 ? t->idle_ms * 1.2 : 5;
    const struct timespec pause = {0, (long)(t->idle_ms * 1e6)};
    nanosleep(&pause, NULL);
}
