/* Bytes of the journal's segments and frames, within this module. docs/results.md says the same in words.
 *
 *   segment = header (184 bytes) frame frame ...
 *   header  = "proverun journal 2\n", zeros up to 24 | u32 segment | u32 0 | u64 first sequence | u64 created, ns
 *             | run id, zeros up to 128 | 8 bytes of Blake2s over all before
 *   frame   = head (40 bytes) | id | 8 bytes of Blake2s over both | payload | 8 bytes of Blake2s over all before
 *   head    = u32 magic | u32 type | u64 sequence | u64 time, ns | i32 rank | u32 bytes of id | u64 bytes of payload */
#ifndef PR_STORE_FRAME_H
#define PR_STORE_FRAME_H
#include "store/journal.h"

#define PR_FRAME_MAGIC 0x4d524a50u /* "PJRM" */
#define PR_FRAME_HEAD 40u
#define PR_FRAME_SUM 8u
#define PR_FRAME_MAX_ID 127u
#define PR_SEGMENT_HEADER 184u

typedef struct pr_segment_header {
    uint32_t version, segment;
    uint64_t first_sequence, created_ns;
    char run_id[128];
} pr_segment_header;

void pr_segment_header_encode(uint8_t out[PR_SEGMENT_HEADER], const pr_segment_header *h);
typedef enum pr_header_state {
    PR_HEADER_GOOD,
    PR_HEADER_NO_JOURNAL,
    PR_HEADER_OTHER_VERSION,
    PR_HEADER_DAMAGED
} pr_header_state;
/* data: size bytes from the begin of a segment. out->version is set unless it is no journal. */
pr_header_state pr_segment_header_decode(pr_segment_header *out, const uint8_t *data, size_t size);

/* Bytes of the whole frame. */
static inline uint64_t pr_frame_bytes(size_t id_size, uint64_t size) {
    return PR_FRAME_HEAD + id_size + PR_FRAME_SUM + size + PR_FRAME_SUM;
}
void pr_frame_encode(pr_writer *out, const pr_frame *frame);
/* Sizes that a head claims; false when it cannot be one. data: PR_FRAME_HEAD bytes. */
bool pr_frame_head_sizes(size_t *id_size, uint64_t *size, const uint8_t *data);
/* data: head, id and its checksum. Fills all of frame but the payload; id is copied. */
bool pr_frame_head_decode(pr_frame *frame, char id[128], const uint8_t *data, size_t id_size);
/* Locks the open first segment of the journal at path for its writer. PR_ERR_IO: another process has it, or has put
 * another file under its name since: what is locked would be the *.damaged of a repair. */
PR_MUST_CHECK pr_status pr_journal_lock(int fd, const char *path, pr_error *err);
bool pr_frame_sum_is_good(const uint8_t *data, uint64_t bytes); /* of a whole frame */
#endif
