/* Point-to-point messages over MPI without blocking: sends are in the background, receives are polled, for a blocked
 * receive burns a core. Only the thread that started MPI uses it. */
#ifndef PR_CLUSTER_TRANSPORT_H
#define PR_CLUSTER_TRANSPORT_H
#include "base/bytes.h"
#include "cluster/wire.h"
#include <mpi.h>

typedef struct pr_transport {
    MPI_Comm comm; /* a duplicate: nobody else's messages */
    int rank, size;
    struct pr_pending *sends; /* list of messages on their way */
    double idle_ms;           /* next sleep of pr_transport_idle */
} pr_transport;

PR_MUST_CHECK pr_status pr_transport_init(pr_transport *t, pr_error *err);
void pr_transport_clear(pr_transport *t);
PR_MUST_CHECK pr_status pr_transport_send(pr_transport *t, int to, const pr_wire *message, pr_error *err);
/* *got says whether a message came; buffer (caller frees) holds its bytes. What does not decode is PR_ERR_MALFORMED
 * with the sender in the text. */
PR_MUST_CHECK pr_status pr_transport_poll(pr_transport *t, bool *got, int *from, pr_wire *message, uint8_t **buffer,
                                          pr_error *err);
/* Until all sends are complete. */
PR_MUST_CHECK pr_status pr_transport_drain(pr_transport *t, pr_error *err);
/* Sleeps a little, longer the longer nothing happens (to 5 ms); pr_transport_poll resets it when something came. */
void pr_transport_idle(pr_transport *t);
#endif
