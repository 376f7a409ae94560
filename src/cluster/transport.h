/* Point-to-point messages over MPI without blocking. Sends and receives are in the background and polled, for a blocked
 * receive burns a core, and one from a stopped rank never ends. A message is cut into frames (frame.h), of which at
 * most four are on their way to a rank at a time; small messages overtake large ones. A message to the own rank goes
 * the same way, without MPI. Nothing here is collective but init, end and clear. Only the thread that started MPI uses
 * it. */
#ifndef PR_CLUSTER_TRANSPORT_H
#define PR_CLUSTER_TRANSPORT_H
#include "base/bytes.h"
#include "cluster/wire.h"
#include <mpi.h>

typedef struct pr_transport {
    MPI_Comm comm; /* a duplicate: nobody else's messages */
    int rank, size;
    struct pr_lane *lanes; /* [size] what goes to a rank and comes from it */
    int first_active;      /* lane with something to send; -1: none */
    struct pr_flight *flights;
    struct pr_arrival *arrivals, **arrivals_end; /* receives that were begun, oldest first */
    unsigned n_arrivals;
    struct pr_arrival *inbox, **inbox_end; /* messages to the own rank */
    bool any_refused;
    double idle_ms;
    uint64_t bytes_sent, bytes_received;
} pr_transport;

PR_MUST_CHECK pr_status pr_transport_init(pr_transport *t, pr_error *err);
/* collective: free the communicator, which all ranks must do together; false: leave it (a rank was lost). */
void pr_transport_clear(pr_transport *t, bool collective);
/* Copies the message. To a rank that was forgotten: nothing. */
PR_MUST_CHECK pr_status pr_transport_send(pr_transport *t, int to, const pr_wire *message, pr_error *err);
/* *got says whether a message came from *from; buffer (caller frees) holds its bytes. PR_ERR_MALFORMED: *from sent what
 * does not decode. PR_ERR_MPI: *from < 0, or receiving from *from failed. */
PR_MUST_CHECK pr_status pr_transport_poll(pr_transport *t, bool *got, int *from, pr_wire *message, uint8_t **buffer,
                                          pr_error *err);
/* Drops what still waits to be sent to a rank, and all that is sent to it from now on, until it is known again. */
void pr_transport_forget(pr_transport *t, int rank);
void pr_transport_know(pr_transport *t, int rank);
/* The next rank that MPI refused to send to; it is forgotten. False: none. */
bool pr_transport_take_refused(pr_transport *t, int *rank);
bool pr_transport_is_quiet(const pr_transport *t); /* all sends are complete */
/* The last that is done with it: until all sends are complete and, together, all ranks have come here with theirs
 * complete (collective then); or until a minute is over, ten seconds alone. *quiet says which. What still arrives is
 * dropped, but received: MPI completes no send of more than some KiB before its receive, and the others would wait for
 * theirs. */
PR_MUST_CHECK pr_status pr_transport_end(pr_transport *t, bool together, bool *quiet, pr_error *err);
/* How long to sleep until the next poll: longer the longer nothing happens, 0.1 to 5 ms. pr_transport_busy and messages
 * reset it. */
double pr_transport_pause_ms(pr_transport *t);
void pr_transport_busy(pr_transport *t);
/* Sleeps that long. */
void pr_transport_idle(pr_transport *t);
#endif
