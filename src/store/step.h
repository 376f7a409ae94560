/* A frame of the journal that changes the results file, decoded; within this module. Writing a run and making its file
 * again both go through here, so that both give the same content. */
#ifndef PR_STORE_STEP_H
#define PR_STORE_STEP_H
#include "store/journal.h"
#include "store/product.h"

typedef struct pr_step {
    uint32_t type;
    uint64_t time_ns;
    union {
        pr_record record;
        pr_session_row session;
        pr_event_row event;
        pr_sample_row sample;
        pr_assignment_row assignment; /* these two change no table */
        pr_rank_row rank;
        struct {
            char *name, *value;
        } attribute;
        struct {
            uint8_t *bytes; /* owned */
            size_t size;
        } consensus; /* or batch */
    } as;
} pr_step;

/* PR_ERR_MALFORMED with the frame's number, nothing to clear. */
PR_MUST_CHECK pr_status pr_step_decode(pr_step *step, const pr_frame *frame, pr_error *err);
PR_MUST_CHECK pr_status pr_step_apply(pr_product *product, const pr_step *step, pr_error *err);
void pr_step_clear(pr_step *step);
/* Both, and a flush when much waits. context: a pr_product. */
PR_MUST_CHECK pr_status pr_step_replay(void *product, const pr_frame *frame, pr_error *err);

/* For repairs. A store with nothing in it but the run id of another journal. */
PR_MUST_CHECK pr_status pr_store_create_bare(pr_store **out, const char *path, const char *old_journal, pr_error *err);
/* Appends a frame of another journal, with its time. PR_ERR_MALFORMED: it does not decode, or its job is done. */
PR_MUST_CHECK pr_status pr_store_adopt(pr_store *s, const pr_frame *frame, pr_error *err);
bool pr_store_has_done(const pr_store *s, const char *id);
#define PR_PENDING_MAX ((uint64_t)64 << 20)
#endif
