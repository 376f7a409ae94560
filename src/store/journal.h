/* The journal of a run: the truth that the results file is made from. Append-only frames in segments: run.journal,
 * run.journal.1, run.journal.2, ... docs/results.md describes them byte for byte.
 *
 * A frame is a head (type, sequence number, time, rank, job id, length) with a checksum of its own, the payload, and a
 * checksum over all: so damage in a payload still leaves known whose it was. What pr_journal_sync returned PR_OK for
 * survives a kill at any instant. A torn frame at the end of the last segment is dropped when the journal is opened for
 * writing; damage anywhere else is reported, never skipped in silence.
 *
 * One writer: the first segment is locked while the journal is open for writing. Readers (pr_journal_scan) need no
 * lock, and disturb nobody. Not thread safe.
 *
 *   PR_TRY(pr_journal_append(j, &(pr_frame){.type = PR_FRAME_RECORD, .rank = -1, .id = id, .payload = p, .size = n},
 *                            err));                    // buffered
 *   PR_TRY(pr_journal_sync(j, err));                   // one write and one fsync for all that was appended
 *
 * After an error of the disk the journal is closed for good: what failed to be synced once may look synced later. */
#ifndef PR_STORE_JOURNAL_H
#define PR_STORE_JOURNAL_H
#include "base/bytes.h"

#define PR_JOURNAL_VERSION 2u
#define PR_JOURNAL_SEGMENT_BYTES ((uint64_t)256 << 20)
#define PR_JOURNAL_MAX_PAYLOAD ((uint64_t)2 << 30)
#define PR_JOURNAL_MAX_SEGMENTS 1000000u

typedef enum pr_frame_type {
    PR_FRAME_ATTRIBUTE = 1, /* name, value: texts; of the root of the results file */
    PR_FRAME_RECORD,        /* pr_record_encode */
    PR_FRAME_SESSION_BEGIN, /* a row each, pr_row_encode */
    PR_FRAME_SESSION_END,
    PR_FRAME_EVENT,
    PR_FRAME_SAMPLE,
    PR_FRAME_ASSIGNMENT,
    PR_FRAME_RANK,
    PR_FRAME_CONSENSUS, /* a record of the consensus (consensus/consensus.h) */
    PR_FRAME_BATCH,     /* the certificate over the outcomes of the run (consensus/batch.h) */
    PR_FRAME_TYPES
} pr_frame_type;
const char *pr_frame_type_name(uint32_t type); /* "unknown" for others */

typedef struct pr_frame {
    uint32_t type;
    int32_t rank;               /* -1: none */
    uint64_t sequence, time_ns; /* wall clock, since 1970 UTC; set by append */
    const char *id;             /* job; "" none; at most 127 bytes without control characters */
    const uint8_t *payload;     /* borrowed */
    size_t size;
    uint32_t segment; /* where it lies; append ignores these */
    uint64_t offset;  /* of its first byte in that segment */
} pr_frame;

/* ---- writing ---- */

typedef struct pr_journal pr_journal;
/* An error ends the reading and is returned by whoever reads. */
typedef pr_status (*pr_journal_visitor)(void *context, const pr_frame *frame, pr_error *err);

/* A new journal, its folder entry synced; refuses to overwrite. run_id: at most 127 bytes. */
PR_MUST_CHECK pr_status pr_journal_create(pr_journal **out, const char *path, const char *run_id, pr_error *err);
/* Locks, shows all frames to visit (NULL allowed), drops a torn end, and stands ready to append; what was shown is on
 * the disk then, also where it had not been synced.
 * PR_ERR_MALFORMED with the offset when it is damaged anywhere else or of another version; PR_ERR_IO when somebody else
 * writes it. */
PR_MUST_CHECK pr_status pr_journal_open(pr_journal **out, const char *path, pr_journal_visitor visit, void *context,
                                        pr_error *err);
/* Buffered: on the disk when pr_journal_sync returned. Nothing of frame is kept. PR_ERR_IO: the disk, see above. */
PR_MUST_CHECK pr_status pr_journal_append(pr_journal *j, const pr_frame *frame, pr_error *err);
PR_MUST_CHECK pr_status pr_journal_sync(pr_journal *j, pr_error *err);
void pr_journal_close(pr_journal *j); /* NULL allowed; what was not synced may be lost */
/* A segment that has grown to so many bytes is followed by the next. For tests and odd file systems. */
void pr_journal_set_segment_bytes(pr_journal *j, uint64_t bytes);
uint64_t pr_journal_bytes(const pr_journal *j); /* of all segments, buffered ones counted */
/* Bytes of a torn end that opening dropped. */
uint64_t pr_journal_dropped(const pr_journal *j);

/* ---- reading, also while it is written ---- */

typedef enum pr_fault_kind {
    PR_FAULT_TORN,    /* the end of the last segment was being written when its writer ended: nothing acknowledged */
    PR_FAULT_CORRUPT, /* bytes that are no frame, or a frame with a wrong checksum */
    PR_FAULT_MISSING, /* a segment is not there */
    PR_FAULT_KINDS
} pr_fault_kind;
const char *pr_fault_kind_name(uint32_t kind);

typedef struct pr_fault {
    pr_fault_kind kind;
    uint32_t segment;
    uint64_t offset, bytes; /* in that segment */
    uint64_t first, n;      /* sequence numbers that are lost: first .. first + n - 1; n 0: not known */
    uint32_t type;          /* of the damaged frame where its head is good; else 0 */
    char id[128];           /* its job, where its head is good; else "" */
} pr_fault;

/* One line: where, what, which frames and whose. path: of the journal. */
void pr_fault_describe(char *out, size_t size, const char *path, const pr_fault *fault);

typedef struct pr_scan {
    pr_journal_visitor visit;                                                /* NULL allowed */
    pr_status (*fault)(void *context, const pr_fault *fault, pr_error *err); /* NULL: faults are skipped */
    void *context;
    /* out */
    char run_id[128];
    uint32_t n_segments;
    uint64_t n_frames, bytes, next_sequence;
    uint64_t n_faults[PR_FAULT_KINDS];
    uint64_t last_good; /* bytes of the last segment up to the end of its last good frame */
} pr_scan;
/* Reads all that can be read, in order, whatever is wrong in between. PR_ERR_IO: it cannot be read at all;
 * PR_ERR_MALFORMED: no journal, or one of another version (the text says which). Writes nothing. */
PR_MUST_CHECK pr_status pr_journal_scan(pr_scan *scan, const char *path, pr_error *err);
/* "run.journal.3" for segment 3; the path itself for 0. */
void pr_journal_segment_path(char *out, size_t size, const char *path, uint32_t segment);
#endif
