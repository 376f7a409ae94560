/* The journal of a run: one append-only file, the truth that the results file is made from. A frame is a magic, a type,
 * a sequence number, a length, the payload, and a checksum (8 bytes of Blake2s over all of that). What pr_journal_sync
 * returned PR_OK for survives a kill at any instant; a torn frame at the end is dropped when the journal is read.
 * One writer: the file is locked while it is open. */
#ifndef PR_STORE_JOURNAL_H
#define PR_STORE_JOURNAL_H
#include "base/bytes.h"

typedef enum pr_frame_type {
    PR_FRAME_ATTRIBUTE = 1, /* name, value: texts */
    PR_FRAME_RECORD,        /* pr_record_encode */
    PR_FRAME_SESSION_BEGIN, /* a session's row */
    PR_FRAME_SESSION_END
} pr_frame_type;

typedef struct pr_journal pr_journal;
/* Called with each frame in order; an error ends the reading. */
typedef pr_status (*pr_journal_visitor)(void *context, uint32_t type, const uint8_t *payload, size_t size,
                                        pr_error *err);

/* A new file beside its (synced) folder entry; refuses to overwrite. */
PR_MUST_CHECK pr_status pr_journal_create(pr_journal **out, const char *path, pr_error *err);
/* Reads all frames, drops a torn end, and stands ready to append. visit may be NULL. PR_ERR_MALFORMED with the offset
 * when a frame before the end is corrupt or the version is another; PR_ERR_IO when somebody else writes it. */
PR_MUST_CHECK pr_status pr_journal_open(pr_journal **out, const char *path, pr_journal_visitor visit, void *context,
                                        pr_error *err);
PR_MUST_CHECK pr_status pr_journal_append(pr_journal *j, pr_frame_type type, const void *payload, size_t size,
                                          pr_error *err);
PR_MUST_CHECK pr_status pr_journal_sync(pr_journal *j, pr_error *err);
void pr_journal_close(pr_journal *j); /* NULL allowed */
#endif
