/* Messages cut into frames of at most PR_FRAME_BYTES, so that a large proof never holds up what stands behind it, and
 * put together again. No MPI here.
 *
 *   "PRF2" u32 | version u16 | 0 u16 | message u32 | 0 u32 | total u64 | offset u64 | bytes ...
 *
 * Frames of one message come in order; frames of several messages of one sender may alternate. What arrives is checked
 * like any input from outside: memory grows with the bytes that came, not with what a header promises. */
#ifndef PR_CLUSTER_FRAME_H
#define PR_CLUSTER_FRAME_H
#include "base/bytes.h"

#define PR_FRAME_VERSION 2
#define PR_FRAME_BYTES ((size_t)1 << 20)
#define PR_FRAME_HEADER_BYTES 32u
#define PR_FRAME_MAX_MESSAGE ((size_t)1536 << 20)
#define PR_FRAME_MAX_OPEN 4u /* messages of one sender that are incomplete at a time */

/* The frame of message[size] that begins at *offset, which moves on; *offset == size afterwards: it was the last. */
void pr_frame_next(pr_writer *out, const uint8_t *message, size_t size, uint32_t id, size_t *offset);

typedef struct pr_joiner { /* of one sender; zero initialised */
    struct pr_joining {
        uint8_t *data; /* owned; NULL: free */
        size_t total, at, room;
        uint32_t id;
    } open[PR_FRAME_MAX_OPEN];
} pr_joiner;

/* *message: heap memory of the caller's, one 0 byte behind its *size bytes, once a message is complete; else NULL.
 * PR_ERR_MALFORMED names what is wrong; the message that the frame may have belonged to is dropped. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_joiner_add(pr_joiner *j, const uint8_t *frame, size_t frame_size, uint8_t **message,
                                      size_t *size, pr_error *err);
void pr_joiner_clear(pr_joiner *j);
#endif
