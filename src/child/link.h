/* The socket pair between a supervisor and its prover child, and the sealed memory that goes over it.
 * One packet is one frame, with at most one descriptor of sealed memory. No call raises SIGPIPE; every descriptor is
 * close-on-exec. */
#ifndef PR_CHILD_LINK_H
#define PR_CHILD_LINK_H
#include "child/frame.h"

typedef enum pr_child_wait { PR_CHILD_DONT_WAIT, PR_CHILD_WAIT } pr_child_wait;
typedef enum pr_child_link_result {
    PR_CHILD_LINK_DONE,
    PR_CHILD_LINK_WOULD_WAIT, /* nothing there, or no room */
    PR_CHILD_LINK_CLOSED,     /* the other side is gone */
    PR_CHILD_LINK_BROKEN      /* what arrived is no frame (err), or the system refused */
} pr_child_link_result;

/* passed: a descriptor to send along, -1 for none; it stays the caller's. */
PR_MUST_CHECK pr_child_link_result pr_child_link_send(int socket, const pr_child_frame *frame, int passed,
                                                      pr_child_wait wait, pr_error *err);
/* *passed: the caller's to close, -1 for none. Anything but exactly what a frame of its type brings along is broken. */
PR_MUST_CHECK pr_child_link_result pr_child_link_receive(int socket, pr_child_frame *frame, int *passed,
                                                         pr_child_wait wait, pr_error *err);

/* Memory that holds a copy of data and that nobody can change any more. */
PR_MUST_CHECK pr_status pr_child_sealed_create(int *fd, const void *data, size_t size, pr_error *err);
/* Maps it for reading; PR_ERR_MALFORMED when it is not sealed or not of this size. Unmap with munmap. size > 0. */
PR_MUST_CHECK pr_status pr_child_sealed_map(const uint8_t **data, int fd, size_t size, pr_error *err);
#endif
