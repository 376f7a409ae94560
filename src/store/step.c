#include "store/step.h"
#include "store/ballot.h"
#include <stdlib.h>
#include <string.h>

static char *read_text(pr_reader *r) {
    uint64_t n = pr_read_u64(r);
    const uint8_t *text = n <= r->size ? pr_read_borrow(r, (size_t)n) : NULL;
    char *copy = text && !memchr(text, 0, (size_t)n) ? strndup((const char *)text, (size_t)n) : NULL;
    if (!copy) r->failed = true;
    return copy;
}

static void decode_attribute(pr_step *s, pr_reader *r) {
    s->as.attribute.name = read_text(r);
    s->as.attribute.value = read_text(r);
    if (s->as.attribute.name && !s->as.attribute.name[0]) r->failed = true;
}

static void decode_consensus(pr_step *s, pr_reader *r) {
    s->as.consensus.size = r->size;
    s->as.consensus.bytes = malloc(r->size ? r->size : 1);
    if (s->as.consensus.bytes)
        pr_read_bytes(r, s->as.consensus.bytes, r->size);
    else
        r->failed = true;
    if (!(s->type == PR_FRAME_BATCH ? pr_ballot_is_batch : pr_ballot_is_record)(r->data, r->size)) r->failed = true;
}

static void decode_payload(pr_step *s, pr_reader *r, pr_error *err) {
    switch ((pr_frame_type)s->type) {
    case PR_FRAME_ATTRIBUTE:
        decode_attribute(s, r);
        return;
    case PR_FRAME_RECORD:
        r->failed = pr_record_decode(&s->as.record, r->data, r->size, err) != PR_OK;
        r->at = r->size;
        return;
    case PR_FRAME_SESSION_BEGIN:
    case PR_FRAME_SESSION_END:
        pr_row_decode(r, &pr_session_row_spec, &s->as.session);
        return;
    case PR_FRAME_EVENT:
        pr_row_decode(r, &pr_event_row_spec, &s->as.event);
        return;
    case PR_FRAME_SAMPLE:
        pr_row_decode(r, &pr_sample_row_spec, &s->as.sample);
        return;
    case PR_FRAME_ASSIGNMENT:
        pr_row_decode(r, &pr_assignment_row_spec, &s->as.assignment);
        return;
    case PR_FRAME_RANK:
        pr_row_decode(r, &pr_rank_row_spec, &s->as.rank);
        return;
    case PR_FRAME_CONSENSUS:
    case PR_FRAME_BATCH:
        decode_consensus(s, r);
        return;
    case PR_FRAME_TYPES:
        break;
    }
    r->failed = true;
}

pr_status pr_step_decode(pr_step *s, const pr_frame *f, pr_error *err) {
    pr_reader r;
    memset(s, 0, sizeof *s);
    s->type = f->type;
    s->time_ns = f->time_ns;
    pr_reader_init(&r, f->payload, f->size);
    decode_payload(s, &r, NULL);
    if (pr_reader_done(&r)) return PR_OK;
    pr_step_clear(s);
    return pr_fail(err, PR_ERR_MALFORMED, "frame %llu of the journal (%s) does not decode",
                   (unsigned long long)f->sequence, pr_frame_type_name(f->type));
}

void pr_step_clear(pr_step *s) {
    if (s->type == PR_FRAME_RECORD) pr_record_clear(&s->as.record);
    if (s->type == PR_FRAME_CONSENSUS || s->type == PR_FRAME_BATCH) free(s->as.consensus.bytes);
    if (s->type == PR_FRAME_ATTRIBUTE) {
        free(s->as.attribute.name);
        free(s->as.attribute.value);
    }
    memset(s, 0, sizeof *s);
}

pr_status pr_step_apply(pr_product *p, const pr_step *s, pr_error *err) {
    if (s->type == PR_FRAME_RANK) return PR_OK;
    if (s->type == PR_FRAME_ASSIGNMENT) return pr_product_assign(p, s->as.assignment.id, s->as.assignment.attempt, err);
    pr_product_touch(p, s->time_ns);
    switch ((pr_frame_type)s->type) {
    case PR_FRAME_ATTRIBUTE:
        return pr_product_attribute(p, s->as.attribute.name, s->as.attribute.value, err);
    case PR_FRAME_RECORD:
        return pr_product_put(p, &s->as.record, err);
    case PR_FRAME_SESSION_BEGIN:
        return pr_product_begin_session(p, &s->as.session, err);
    case PR_FRAME_SESSION_END:
        return pr_product_end_session(p, &s->as.session, err);
    case PR_FRAME_EVENT:
        return pr_product_row(p, PR_TABLE_EVENTS, &s->as.event, err);
    case PR_FRAME_SAMPLE:
        return pr_product_row(p, PR_TABLE_METRICS, &s->as.sample, err);
    case PR_FRAME_CONSENSUS:
        return pr_ballot_put(p, s->time_ns, s->as.consensus.bytes, s->as.consensus.size, err);
    case PR_FRAME_BATCH:
        return pr_ballot_put_batch(p, s->time_ns, s->as.consensus.bytes, s->as.consensus.size, err);
    default:
        return PR_OK;
    }
}

pr_status pr_step_replay(void *product, const pr_frame *frame, pr_error *err) {
    pr_product *p = product;
    pr_step step;
    PR_TRY(pr_step_decode(&step, frame, err));
    pr_status status = pr_step_apply(p, &step, err);
    pr_step_clear(&step);
    PR_TRY(status);
    return pr_product_pending(p) > PR_PENDING_MAX ? pr_product_flush(p, PR_FLUSH_NOW, err) : PR_OK;
}
