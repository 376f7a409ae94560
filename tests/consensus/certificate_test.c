/* What an auditor accepts: certificates of proofs, views and batches, evidence, inclusion. */
#include "net.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct auditor {
    pr_registry registry;
    pr_crypto crypto;
    net_node any;
    pr_consensus_terms terms;
    pr_certificate out;
    pr_error err;
} auditor;

static void hire(auditor *a, const net *w, uint32_t node) {
    memset(a, 0, sizeof *a);
    a->crypto = net_crypto(&a->any);
    a->terms = w->terms;
    net_registry(w, node, &a->registry);
}

static pr_status check(auditor *a, const uint8_t *data, size_t size) {
    return pr_certificate_check(&a->out, data, size, &a->terms, &a->registry, &a->crypto, &a->err);
}

/* Seven nodes: 5 silent, 6 removed earlier, prover 0; four votes of five are enough. One has an attestation. */
static net *rich_certificate(pr_subject *s, const uint8_t **data, size_t *size) {
    net *w = net_create(7, NULL, 6);
    net_start(w);
    pr_subject bad = net_subject("job-1", 1, 6, false, 3);
    net_announce(w, &bad);
    net_run(w);
    w->nodes[5].silent = true;
    pr_attestation attestation = {.kind = PR_ATTESTATION_TPM, .verified = true, .size = 5, .bytes = "quote"};
    pr_consensus_set_attestation(w->nodes[1].c, &attestation);
    *s = net_subject("job-2", 1, 0, true, 7);
    net_announce(w, s);
    net_run(w);
    net_expire_rounds(w);
    *data = pr_consensus_certificate(w->nodes[0].c, &s->job, size);
    assert_non_null(*data);
    return w;
}

static void every_changed_byte_is_refused(void **state) {
    (void)state;
    pr_subject s;
    const uint8_t *data;
    size_t size;
    auditor a;
    net *w = rich_certificate(&s, &data, &size);
    hire(&a, w, 0);
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    copy[size] = 0;
    assert_int_equal(check(&a, copy, size), PR_OK);
    assert_true(pr_subject_equal(&a.out.subject, &s));
    assert_int_equal(a.out.n_removed, 1);
    assert_true(3 * a.out.approving > 2 * a.out.committee);
    for (size_t at = 0; at < size; at++) {
        copy[at] ^= 1;
        assert_int_not_equal(check(&a, copy, size), PR_OK);
        copy[at] ^= 1;
    }
    for (size_t cut = 0; cut < size; cut++) assert_int_equal(check(&a, copy, cut), PR_ERR_MALFORMED);
    assert_int_equal(check(&a, copy, size + 1), PR_ERR_MALFORMED);
    free(copy);
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

static void refusals_have_reasons(void **state) {
    (void)state;
    pr_subject s;
    const uint8_t *data;
    size_t size;
    auditor a;
    net *w = rich_certificate(&s, &data, &size);
    hire(&a, w, 0);
    a.terms.run.bytes[0] ^= 1;
    assert_int_equal(check(&a, data, size), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "another run"));
    a.terms = w->terms;
    a.registry.validators[6].removal = PR_REMOVAL_NONE; /* an auditor without the evidence */
    assert_int_equal(check(&a, data, size), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "no evidence against validator 6"));
    a.registry.validators[6].removal = PR_REMOVAL_INVALID_PROOF;
    a.registry.validators[1].stake = 100; /* other stakes than were registered */
    assert_int_equal(check(&a, data, size), PR_OK);
    a.registry.validators[5].stake = 1000;
    assert_int_equal(check(&a, data, size), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "more than two thirds"));
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

/* What is found out about a voter later changes nothing. */
static void holds_for_ever(void **state) {
    (void)state;
    pr_subject s;
    const uint8_t *data;
    size_t size;
    auditor a;
    net *w = rich_certificate(&s, &data, &size);
    hire(&a, w, 0);
    for (uint32_t i = 0; i < 7; i++) pr_registry_remove(&a.registry, i, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(check(&a, data, size), PR_OK);
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

static void absences_are_checked(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    net_start(w);
    w->nodes[2].silent = true;
    pr_subject s = net_subject("job-2", 1, 0, true, 7);
    net_announce(w, &s);
    net_run(w);
    net_expire_rounds(w);
    net_expire_rounds(w);
    size_t size;
    auditor a;
    const uint8_t *data = pr_consensus_certificate(w->nodes[0].c, &s.job, &size);
    assert_non_null(data);
    hire(&a, w, 0);
    assert_int_equal(check(&a, data, size), PR_OK);
    assert_int_equal(a.out.n_absent, 1);
    assert_int_equal(a.out.committee, 2);
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (size_t at = 0; at < size; at++) {
        memcpy(copy, data, size);
        copy[at] ^= 1;
        assert_int_not_equal(check(&a, copy, size), PR_OK);
    }
    free(copy);
    a.registry.validators[2].stake = 2; /* then a third of the stake or more would be absent */
    assert_int_equal(check(&a, data, size), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "absence of validator 2"));
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

/* Of four, 0 has proved; those from first_absent on are absent by the word of n_signers each, the others approve. */
static pr_status check_absent(auditor *a, const net *w, uint32_t first_absent, uint32_t n_signers) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_subject s = net_subject("job-1", 1, 0, true, 7);
    pr_writer c;
    pr_writer_init(&c);
    pr_certificate_write_head(&c, &(pr_certificate_head){w->terms.run, 0, 4, &s});
    pr_write_u32(&c, 0);
    pr_write_u32(&c, 4 - first_absent);
    for (uint32_t absent = first_absent; absent < 4; absent++) {
        pr_write_u32(&c, absent);
        pr_write_u32(&c, n_signers);
        for (uint32_t signer = 0, k = 0; k < n_signers; signer++) {
            if (signer == absent) continue;
            pr_message m = {.kind = PR_MESSAGE_ABSENCE, .subject = s, .absent = absent};
            net_sign(w, bytes, &m, signer);
            pr_write_u32(&c, signer);
            pr_write_bytes(&c, m.signature, PR_SIGNATURE_BYTES);
            k++;
        }
    }
    pr_write_u32(&c, first_absent - 1);
    for (uint32_t voter = 1; voter < first_absent; voter++) {
        pr_message vote = net_vote(w, &s, voter, PR_VOTE_APPROVE);
        net_sign(w, bytes, &vote, voter);
        pr_certificate_write_vote(&c, &vote);
    }
    pr_status status = check(a, c.data, c.size);
    pr_writer_clear(&c);
    return status;
}

/* Two who lie say of each other that they are absent, and an honest prover and voter agree: still more than a third. */
static void a_third_cannot_be_absent(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    auditor a;
    hire(&a, w, 0);
    assert_int_equal(check_absent(&a, w, 3, 3), PR_OK);
    assert_int_equal(check_absent(&a, w, 2, 3), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "absent are 2"));
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

static void a_few_do_not_make_anybody_absent(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    auditor a;
    hire(&a, w, 0);
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(check_absent(&a, w, 3, n), PR_ERR_REFUSED);
        assert_non_null(strstr(a.err.text, "absence of validator 3"));
    }
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

/* View 1 by validators 0 to n_signers - 1 of four; those whom `as` calls removed are left out. */
static pr_status check_view(auditor *a, const net *w, const pr_hash *run, const pr_registry *as, uint32_t n_signers) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES], signatures[4][PR_SIGNATURE_BYTES];
    pr_validator_set signers = {{0}};
    uint64_t view;
    pr_writer x;
    for (uint32_t i = 0; i < n_signers; i++) {
        pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .view = 1};
        net_sign(w, bytes, &m, i);
        memcpy(signatures[i], m.signature, PR_SIGNATURE_BYTES);
        pr_set_add(&signers, i);
    }
    pr_writer_init(&x);
    pr_view_certificate_write(&x, &w->terms.run, 1, as, &signers, (const uint8_t(*)[PR_SIGNATURE_BYTES])signatures);
    pr_status status = pr_view_certificate_check(&view, x.data, x.size, run, &a->registry, &a->crypto, &a->err);
    pr_writer_clear(&x);
    return status;
}

/* Else two liars who call the other two removed would be everybody. */
static void a_view_leaves_out_nobody_without_evidence(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    pr_hash elsewhere = pr_blake2s_hash("another run", 11);
    pr_registry two;
    auditor a;
    hire(&a, w, 0);
    net_registry(w, 0, &two);
    assert_int_equal(check_view(&a, w, &w->terms.run, &a.registry, 3), PR_OK);
    assert_int_equal(check_view(&a, w, &w->terms.run, &a.registry, 2), PR_ERR_REFUSED);
    assert_int_equal(check_view(&a, w, &elsewhere, &a.registry, 3), PR_ERR_REFUSED);
    for (uint32_t i = 2; i < 4; i++) pr_registry_remove(&two, i, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(check_view(&a, w, &w->terms.run, &two, 2), PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "no evidence against validator"));
    for (uint32_t i = 2; i < 4; i++) pr_registry_remove(&a.registry, i, PR_REMOVAL_WRONG_VOTE);
    assert_int_equal(check_view(&a, w, &w->terms.run, &two, 2), PR_OK);
    pr_registry_clear(&two);
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

/* ---- evidence ---- */

typedef struct accusation {
    uint8_t a[PR_MESSAGE_MAX_BYTES], b[PR_MESSAGE_MAX_BYTES];
    size_t a_size, b_size;
    pr_writer w;
    pr_evidence out;
    pr_evidence_answer answer;
} accusation;

static pr_status judge(accusation *x, auditor *a, pr_proof_verdict verdict) {
    return pr_evidence_check(&x->out, &x->answer, x->w.data, x->w.size, &a->terms.run, &a->registry, &a->crypto,
                             verdict, &a->err);
}

static void write_evidence(accusation *x, pr_evidence_kind kind, uint32_t offender) {
    pr_writer_clear(&x->w);
    pr_evidence_write(&x->w, kind, offender, x->a, x->a_size, kind == PR_EVIDENCE_EQUIVOCATION ? x->b : NULL,
                      x->b_size);
}

static void evidence_needs_proof(void **state) {
    (void)state;
    auditor a;
    accusation x = {0};
    net *w = net_create(4, NULL, 3);
    hire(&a, w, 0);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    pr_message yes = net_vote(w, &s, 1, PR_VOTE_APPROVE), no = net_vote(w, &s, 1, PR_VOTE_REJECT);
    x.a_size = net_sign(w, x.a, &yes, 1);
    x.b_size = net_sign(w, x.b, &no, 1);
    write_evidence(&x, PR_EVIDENCE_EQUIVOCATION, 1);
    assert_int_equal(judge(&x, &a, PR_PROOF_UNKNOWN), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_HOLDS);
    assert_int_equal(x.out.removal, PR_REMOVAL_EQUIVOCATION);
    write_evidence(&x, PR_EVIDENCE_EQUIVOCATION, 2); /* of somebody else */
    assert_int_equal(judge(&x, &a, PR_PROOF_UNKNOWN), PR_ERR_MALFORMED);
    write_evidence(&x, PR_EVIDENCE_WRONG_VOTE, 1);
    assert_int_equal(judge(&x, &a, PR_PROOF_UNKNOWN), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_NEEDS_VERIFIER);
    assert_int_equal(judge(&x, &a, PR_PROOF_INVALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_HOLDS);
    assert_int_equal(judge(&x, &a, PR_PROOF_VALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_FAILS);
    net_sign(w, x.a, &yes, 2); /* a vote of validator 1 that validator 2 has signed */
    yes.signer = 1;
    x.a_size = pr_message_encode(x.a, &yes);
    write_evidence(&x, PR_EVIDENCE_WRONG_VOTE, 1);
    assert_int_equal(judge(&x, &a, PR_PROOF_INVALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_FAILS);
    pr_message announced = {.kind = PR_MESSAGE_ANNOUNCE, .subject = s};
    x.a_size = net_sign(w, x.a, &announced, 3);
    write_evidence(&x, PR_EVIDENCE_INVALID_PROOF, 3);
    assert_int_equal(judge(&x, &a, PR_PROOF_VALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_FAILS);
    assert_int_equal(judge(&x, &a, PR_PROOF_INVALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_HOLDS);
    a.terms.run = pr_blake2s_hash("another run", 11); /* what was signed there is none here */
    assert_int_equal(judge(&x, &a, PR_PROOF_INVALID), PR_OK);
    assert_int_equal(x.answer, PR_EVIDENCE_FAILS);
    pr_writer_clear(&x.w);
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

/* Votes that an honest validator may well give: in another view, on another attempt or job, or the same vote twice. */
static void what_is_no_equivocation(void **state) {
    (void)state;
    accusation x = {0};
    net *w = net_create(4, NULL, 3);
    pr_subject s = net_subject("job-1", 1, 3, true, 7);
    for (int k = 0; k < 5; k++) {
        pr_message one = net_vote(w, &s, 1, PR_VOTE_APPROVE), two = net_vote(w, &s, 1, PR_VOTE_REJECT);
        if (k == 0) two.view = 1;
        if (k == 1) two.subject.attempt = 2;
        if (k == 2) two.subject.job = pr_job_name("job-2");
        if (k == 3) two = one;
        x.a_size = net_sign(w, x.a, &one, 1);
        x.b_size = net_sign(w, x.b, &two, 1);
        if (k == 3) x.b[x.b_size - 1] ^= 1; /* the same vote, signed in another way */
        if (k == 4) x.b[2] ^= 1;            /* of another run */
        write_evidence(&x, PR_EVIDENCE_EQUIVOCATION, 1);
        assert_int_equal(pr_evidence_decode(&x.out, x.w.data, x.w.size, NULL), PR_ERR_MALFORMED);
    }
    pr_writer_clear(&x.w);
    net_destroy(w);
}

/* ---- batches ---- */

static void sort_leaves(pr_batch_leaf *leaves, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && memcmp(leaves[k - 1].job.bytes, leaves[k].job.bytes, 32) > 0; k--) {
            pr_batch_leaf swap = leaves[k];
            leaves[k] = leaves[k - 1];
            leaves[k - 1] = swap;
        }
}

static void make_leaves(pr_batch_leaf *leaves, size_t n) {
    for (size_t i = 0; i < n; i++) {
        leaves[i] = (pr_batch_leaf){.outcome = (pr_round_outcome)(1 + i % 5)};
        leaves[i].job = pr_blake2s_hash(&i, sizeof i);
        leaves[i].statement = pr_blake2s_hash(leaves[i].job.bytes, 32);
    }
    sort_leaves(leaves, n);
}

static void inclusion_of_each_leaf_and_of_nothing_else(void **state) {
    (void)state;
    pr_batch_leaf leaves[33], back;
    for (size_t n = 1; n <= 33; n++) {
        pr_hash root, other;
        make_leaves(leaves, n);
        assert_int_equal(pr_batch_root(&root, leaves, n, NULL), PR_OK);
        for (size_t i = 0; i < n; i++) {
            pr_writer w;
            pr_writer_init(&w);
            assert_int_equal(pr_batch_prove(&w, leaves, n, i, NULL), PR_OK);
            assert_int_equal(pr_batch_check(&back, w.data, w.size, &root, NULL), PR_OK);
            assert_memory_equal(&back.job, &leaves[i].job, 32);
            assert_int_equal(back.outcome, leaves[i].outcome);
            for (size_t at = 0; at < w.size; at++) {
                w.data[at] ^= 1;
                assert_int_not_equal(pr_batch_check(&back, w.data, w.size, &root, NULL), PR_OK);
                w.data[at] ^= 1;
            }
            assert_int_equal(pr_batch_check(&back, w.data, w.size - 1, &root, NULL), PR_ERR_MALFORMED);
            pr_writer_clear(&w);
        }
        leaves[n / 2].outcome = PR_ROUND_OPEN;
        assert_int_equal(pr_batch_root(&other, leaves, n, NULL), PR_OK);
        assert_false(pr_hash_equal(&root, &other));
    }
    pr_hash root;
    make_leaves(leaves, 3);
    leaves[1] = leaves[0];
    assert_int_equal(pr_batch_root(&root, leaves, 3, NULL), PR_ERR_USAGE); /* a job has one place */
}

static void a_quorum_signs_the_root(void **state) {
    (void)state;
    net *w = net_create(4, NULL, 3);
    pr_hash root = pr_blake2s_hash("root", 4), other = pr_blake2s_hash("other", 5), back;
    uint64_t leaves;
    auditor a;
    net_start(w);
    pr_consensus_sign_batch(w->nodes[3].c, &other, 9); /* it has found something else */
    for (uint32_t i = 0; i < 2; i++) pr_consensus_sign_batch(w->nodes[i].c, &root, 9);
    net_run(w);
    assert_null(w->nodes[1].batch.data);
    pr_consensus_sign_batch(w->nodes[2].c, &root, 9);
    pr_consensus_sign_batch(w->nodes[0].c, &root, 9); /* said again for the one that came last */
    net_run(w);
    hire(&a, w, 0);
    const net_bytes *batch = &w->nodes[1].batch;
    assert_non_null(batch->data);
    assert_null(w->nodes[3].batch.data);
    assert_int_equal(pr_batch_certificate_check(&back, &leaves, batch->data, batch->size, &w->terms.run, &a.registry,
                                                &a.crypto, NULL),
                     PR_OK);
    assert_true(pr_hash_equal(&root, &back));
    assert_int_equal(leaves, 9);
    assert_int_equal(
        pr_batch_certificate_check(&back, &leaves, batch->data, batch->size, &other, &a.registry, &a.crypto, &a.err),
        PR_ERR_REFUSED);
    assert_non_null(strstr(a.err.text, "another run"));
    for (size_t at = 0; at < batch->size; at++) {
        batch->data[at] ^= 1;
        assert_int_not_equal(pr_batch_certificate_check(&back, &leaves, batch->data, batch->size, &w->terms.run,
                                                        &a.registry, &a.crypto, NULL),
                             PR_OK);
        batch->data[at] ^= 1;
    }
    pr_registry_clear(&a.registry);
    net_destroy(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(refusals_have_reasons),
        cmocka_unit_test(holds_for_ever),
        cmocka_unit_test(absences_are_checked),
        cmocka_unit_test(a_third_cannot_be_absent),
        cmocka_unit_test(a_few_do_not_make_anybody_absent),
        cmocka_unit_test(a_view_leaves_out_nobody_without_evidence),
        cmocka_unit_test(evidence_needs_proof),
        cmocka_unit_test(what_is_no_equivocation),
        cmocka_unit_test(inclusion_of_each_leaf_and_of_nothing_else),
        cmocka_unit_test(a_quorum_signs_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
