/* Records of the consensus as tables: what each becomes, that a repaired file has the same, that older files and merged
 * ones do without, and that nothing is taken that could not be read again. */
#include "sample.h"
#include "consensus/batch.h"
#include "consensus/consensus.h"
#include "store/journal.h"
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void must(pr_status status, const pr_error *e) {
    if (status != PR_OK) fail_msg("%s", e->text);
}

static void put(pr_store *s, pr_consensus_record kind, const void *body, size_t size) {
    pr_writer w;
    pr_error e = {0};
    pr_writer_init(&w);
    pr_write_u8(&w, (uint8_t)kind);
    pr_write_bytes(&w, body, size);
    must(pr_store_consensus(s, w.data, w.size, &e), &e);
    pr_writer_clear(&w);
}

static void put_validator(pr_store *s, uint8_t key, uint64_t stake) {
    uint8_t body[40] = {0};
    memset(body, key, 32);
    body[32] = (uint8_t)stake;
    put(s, PR_CONSENSUS_RECORD_VALIDATOR, body, sizeof body);
}

static pr_message message(pr_message_kind kind, const char *job, uint32_t attempt, uint32_t signer) {
    pr_message m = {.kind = kind, .signer = signer};
    m.run = pr_run_name("run");
    m.n_validators = kind == PR_MESSAGE_ANNOUNCE ? 0 : 4;
    m.view = kind == PR_MESSAGE_ANNOUNCE ? 0 : 7;
    m.subject = (pr_subject){.job = pr_job_name(job), .attempt = attempt, .prover = 3};
    if (kind == PR_MESSAGE_VOTE && signer == 3) m.subject.prover = 0; /* nobody votes on his own proof */
    memset(&m.subject.statement, 0x11, 32);
    memset(&m.subject.proof_hash, 0x22, 32);
    memset(m.signature, 0x33, sizeof m.signature);
    return m;
}

static pr_message vote(const char *job, uint32_t signer, pr_vote_verdict verdict) {
    pr_message m = message(PR_MESSAGE_VOTE, job, 2, signer);
    m.verdict = verdict;
    m.reason = verdict == PR_VOTE_REJECT ? PR_VOTE_REASON_INVALID : PR_VOTE_REASON_NONE;
    return m;
}

static void put_message(pr_store *s, const pr_message *m) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    put(s, PR_CONSENSUS_RECORD_MESSAGE, bytes, pr_message_encode(bytes, m));
}

static void put_certificate(pr_store *s, const char *job) {
    pr_writer w;
    pr_message v[3] = {vote(job, 0, PR_VOTE_APPROVE), vote(job, 1, PR_VOTE_APPROVE), vote(job, 2, PR_VOTE_APPROVE)};
    const pr_certificate_head head = {v[0].run, 7, 4, &v[0].subject};
    pr_writer_init(&w);
    pr_certificate_write_head(&w, &head);
    pr_write_u32(&w, 1); /* removed: */
    pr_write_u32(&w, 3);
    pr_write_u32(&w, 0);
    pr_write_u32(&w, 3);
    for (int i = 0; i < 3; i++) pr_certificate_write_vote(&w, &v[i]);
    put(s, PR_CONSENSUS_RECORD_CERTIFICATE, w.data, w.size);
    pr_writer_clear(&w);
}

static void put_evidence(pr_store *s, const char *job, uint32_t offender) {
    pr_writer w;
    pr_message m = vote(job, offender, PR_VOTE_REJECT);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size = pr_message_encode(bytes, &m);
    pr_writer_init(&w);
    pr_evidence_write(&w, PR_EVIDENCE_WRONG_VOTE, offender, bytes, size, NULL, 0);
    put(s, PR_CONSENSUS_RECORD_EVIDENCE, w.data, w.size);
    pr_writer_clear(&w);
}

static void put_outcome(pr_store *s, const char *job, uint32_t attempt, pr_round_outcome outcome) {
    pr_writer w;
    pr_message m = message(PR_MESSAGE_VOTE, job, attempt, 0);
    pr_writer_init(&w);
    pr_subject_write(&w, &m.subject);
    pr_write_u64(&w, 7);
    pr_write_u8(&w, (uint8_t)outcome);
    put(s, PR_CONSENSUS_RECORD_OUTCOME, w.data, w.size);
    pr_writer_clear(&w);
}

/* Three signatures in a view certificate and in a batch certificate, of four validators, one of them removed. */
static void put_quorums(pr_store *s) {
    pr_registry registry;
    pr_validator_set signers = {{0x7}};
    uint8_t signatures[4][PR_SIGNATURE_BYTES] = {{1}, {2}, {3}, {4}};
    const pr_hash run = pr_run_name("run"), root = {{9}};
    pr_writer w;
    pr_error e = {0};
    pr_registry_init(&registry);
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t key[32] = {i};
        must(pr_registry_add(&registry, key, 1, &e), &e);
    }
    pr_registry_remove(&registry, 3, PR_REMOVAL_WRONG_VOTE);
    pr_writer_init(&w);
    pr_view_certificate_write(&w, &run, 7, &registry, &signers, (const uint8_t(*)[PR_SIGNATURE_BYTES])signatures);
    put(s, PR_CONSENSUS_RECORD_VIEW, w.data, w.size);
    pr_writer_clear(&w);
    pr_batch_certificate_write(&w, &run, &root, 2, &registry, &signers,
                               (const uint8_t(*)[PR_SIGNATURE_BYTES])signatures);
    must(pr_store_batch(s, w.data, w.size, &e), &e);
    pr_writer_clear(&w);
    pr_registry_clear(&registry);
}

static void write_run(const char *path) {
    pr_error e = {0};
    pr_store *s = sample_create(path, "run", DIGEST);
    for (uint8_t i = 0; i < 4; i++) put_validator(s, (uint8_t)(0xa0 + i), i + 1u);
    const uint8_t away[PR_AWAY_BYTES] = {[0] = 1, [4] = 6}; /* validator 1, sets 1 and 2 */
    put(s, PR_CONSENSUS_RECORD_AWAY, away, sizeof away);
    must(pr_store_note_assignment(s, "a", 2, PR_ASSIGNED_PROVE, 3, &e), &e);
    must(pr_store_note_assignment(s, "a", 1, PR_ASSIGNED_VERIFY, 3, &e), &e);
    pr_message announcement = message(PR_MESSAGE_ANNOUNCE, "a", 2, 3);
    pr_message first = vote("a", 0, PR_VOTE_APPROVE), second = vote("b", 1, PR_VOTE_REJECT);
    put_message(s, &announcement);
    put_message(s, &first);
    put_message(s, &second);
    must(pr_store_flush(s, &e), &e); /* validators are in the file when one of them is removed */
    put_evidence(s, "a", 3);
    put_certificate(s, "a");
    put_outcome(s, "a", 2, PR_ROUND_APPROVED);
    put_outcome(s, "b", 1, PR_ROUND_TIMEOUT);
    put_quorums(s);
    sample_put(s, "a", PR_OUTCOME_APPROVED, 500, 1);
    must(pr_store_close(s, &e), &e);
}

static pr_results *open_whole(const char *path) {
    pr_results *r = NULL;
    pr_error e = {0};
    must(pr_results_open(&r, path, &e), &e);
    assert_string_equal(pr_results_problems(r), "");
    return r;
}

static const void *rows_of(const pr_results *r, pr_vote_table table, size_t expected) {
    size_t n;
    const void *rows = pr_results_vote_rows(r, table, &n);
    assert_int_equal(n, expected);
    return rows;
}

static void check_bytes(const pr_results *r, uint64_t offset, uint64_t length, int kind) {
    uint8_t *bytes;
    size_t size;
    pr_error e = {0};
    must(pr_results_read_signed(r, offset, length, &bytes, &size, &e), &e);
    assert_int_equal(pr_message_peek(bytes, size), kind);
    free(bytes);
}

static void test_each_record_has_its_row(void **state) {
    (void)state;
    char path[128], hex[65], name[65];
    pr_hash b = pr_job_name("b");
    sample_path(path, "rows.h5");
    write_run(path);
    pr_results *r = open_whole(path);
    memset(hex, '2', 64);
    hex[64] = 0;
    pr_hex_encode(name, b.bytes, 32);

    const pr_validator_row *v = rows_of(r, PR_VOTES_VALIDATORS, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(v[i].stake, i + 1);
        assert_int_equal(v[i].sessions_away, i == 1);
        assert_int_equal(v[i].away_sets, i == 1 ? 6 : 0);
        assert_int_equal(v[i].removal, i == 3 ? PR_REMOVAL_WRONG_VOTE : PR_REMOVAL_NONE);
        assert_int_equal(v[i].removed_ns != 0, i == 3);
    }
    assert_string_equal(v[3].id, "3");
    assert_memory_equal(v[3].public_key, "a3a3a3a3", 8);

    const pr_vote_row *votes = rows_of(r, PR_VOTES_VOTES, 2);
    assert_string_equal(votes[0].id, "a");
    assert_string_equal(votes[1].id, name); /* nothing said which job that is */
    assert_int_equal(votes[0].verdict, PR_VOTE_APPROVE);
    assert_int_equal(votes[1].verdict, PR_VOTE_REJECT);
    assert_int_equal(votes[1].reason, PR_VOTE_REASON_INVALID);
    assert_int_equal(votes[1].signer, 1);
    assert_int_equal(votes[0].view, 7);
    assert_string_equal(votes[0].proof_hash, hex);
    check_bytes(r, votes[1].offset, votes[1].length, PR_MESSAGE_VOTE);

    const pr_certificate_row *c = rows_of(r, PR_VOTES_CERTIFICATES, 1);
    assert_string_equal(c->id, "a");
    assert_true(c->n_votes == 3 && c->n_removed == 1 && c->n_absent == 0 && c->n_validators == 4 && c->attempt == 2);
    check_bytes(r, c->offset, c->length, PR_MESSAGE_CERTIFICATE);

    const pr_evidence_row *e = rows_of(r, PR_VOTES_EVIDENCE, 1);
    assert_true(e->kind == PR_EVIDENCE_WRONG_VOTE && e->offender == 3);
    check_bytes(r, e->offset, e->length, PR_MESSAGE_EVIDENCE);

    const pr_round_row *rounds = rows_of(r, PR_VOTES_ROUNDS, 2);
    assert_true(rounds[0].outcome == PR_ROUND_APPROVED && rounds[1].outcome == PR_ROUND_TIMEOUT);
    assert_true(rounds[0].announced_ns && rounds[0].announced_ns <= rounds[0].decided_ns);
    assert_int_equal(rounds[1].announced_ns, 0);

    const pr_view_row *view = rows_of(r, PR_VOTES_VIEWS, 1);
    assert_string_equal(view->id, "7");
    assert_string_equal(view->reason, "timeout");
    assert_int_equal(view->leader, 0); /* it would be 3, which was removed */
    assert_true(view->n_validators == 4 && view->n_removed == 1 && view->n_signers == 3);
    check_bytes(r, view->offset, view->length, PR_MESSAGE_VIEW_CERTIFICATE);

    const pr_batch_row *batch = rows_of(r, PR_VOTES_BATCHES, 1);
    assert_true(batch->leaves == 2 && batch->n_validators == 4 && batch->n_removed == 1 && batch->n_signers == 3);
    assert_memory_equal(batch->id, "0900", 4);
    check_bytes(r, batch->offset, batch->length, PR_MESSAGE_BATCH_CERTIFICATE);
    pr_results_close(r);
    sample_remove(path);
}

static pr_status gather_words(void *context, const pr_frame *f, pr_error *err) {
    char line[256] = "";
    (void)err;
    if (f->type == PR_FRAME_CONSENSUS) pr_store_describe_consensus(line, sizeof line, f->payload, f->size);
    if (f->type == PR_FRAME_BATCH) pr_store_describe_batch(line, sizeof line, f->payload, f->size);
    if (line[0]) pr_write_format(context, "%s\n", line);
    return PR_OK;
}

static void test_each_record_in_words(void **state) {
    (void)state;
    char path[128], journal[160], expected[1200], proof[65];
    pr_writer words;
    pr_error e = {0};
    pr_scan scan = {.visit = gather_words, .context = &words};
    sample_path(path, "words.h5");
    write_run(path);
    pr_writer_init(&words);
    must(pr_store_journal_path(journal, sizeof journal, path, &e), &e);
    must(pr_journal_scan(&scan, journal, &e), &e);
    pr_write_u8(&words, 0);
    memset(proof, '2', 64);
    proof[64] = 0;
    snprintf(expected, sizeof expected,
             "validator of stake 1\nvalidator of stake 2\nvalidator of stake 3\nvalidator of stake 4\n"
             "validator 1 is away\n"
             "announce of validator 3, attempt 2, view 0, proof %s\n"
             "vote to approve of validator 0, attempt 2, view 7, proof %s\n"
             "vote to reject of validator 1, attempt 2, view 7, proof %s\n"
             "evidence of wrong_vote against validator 3\n"
             "certificate, attempt 2, view 7, proof %s\n"
             "outcome approved, attempt 2, view 7, proof %s\n"
             "outcome timeout, attempt 1, view 7, proof %s\n"
             "view certificate, view 7\n"
             "certificate over 2 outcomes\n",
             proof, proof, proof, proof, proof, proof);
    assert_string_equal((const char *)words.data, expected);
    pr_store_describe_consensus(proof, sizeof proof, (const uint8_t *)"\1short", 6);
    assert_string_equal(proof, "");
    pr_store_describe_batch(proof, sizeof proof, (const uint8_t *)"short", 5);
    assert_string_equal(proof, "");
    pr_writer_clear(&words);
    sample_remove(path);
}

static void test_repair_gives_the_same(void **state) {
    (void)state;
    char path[128], copy[128];
    bool rebuilt = false;
    pr_error e = {0};
    sample_path(path, "again.h5");
    sample_path(copy, "copy.h5");
    write_run(path);
    sample_copy(copy, path);
    must(pr_store_repair(&rebuilt, path, &e), &e);
    assert_true(rebuilt);
    sample_assert_same(path, copy);
    sample_remove(path);
    sample_remove(copy);
}

static void test_numbers_of_attempts_outlive_a_session(void **state) {
    (void)state;
    char path[128];
    pr_error e = {0};
    pr_store *s;
    sample_path(path, "numbers.h5");
    write_run(path);
    for (uint32_t session = 1; session < 4; session++) {
        must(pr_store_reopen(&s, path, &e), &e);
        assert_int_equal(pr_store_last_attempt(s, "a"), 2);
        assert_int_equal(pr_store_last_attempt(s, "never"), 0);
        assert_int_equal(pr_store_last_attempt(s, "b"), session - 1);
        must(pr_store_note_assignment(s, "b", session, PR_ASSIGNED_PROVE, 1, &e), &e);
        must(pr_store_close(s, &e), &e);
    }
    sample_remove(path);
}

static void test_files_without_these_tables(void **state) {
    (void)state;
    char path[128], merged[128];
    pr_error e = {0};
    size_t n;
    pr_writer told;
    static const char *const names[] = {"/validators", "/votes",     "/certificates", "/views",
                                        "/evidence",   "/consensus", "/batches",      "/signed"};
    sample_path(path, "old.h5");
    sample_path(merged, "merged.h5");
    write_run(path);
    const char *inputs[] = {path};
    pr_writer_init(&told);
    sample_remove(merged);
    must(pr_store_merge(&n, &told, merged, inputs, 1, &e), &e);
    pr_writer_clear(&told);
    pr_results *r = open_whole(merged); /* certificates stay with their run */
    for (int t = 0; t < PR_VOTES_TABLES; t++) (void)rows_of(r, (pr_vote_table)t, 0);
    pr_results_close(r);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(H5Ldelete(file, names[i], H5P_DEFAULT) >= 0);
    H5Fclose(file);
    r = open_whole(path);
    for (int t = 0; t < PR_VOTES_TABLES; t++) (void)rows_of(r, (pr_vote_table)t, 0);
    uint8_t *bytes;
    size_t size;
    assert_int_equal(pr_results_read_signed(r, 0, 1, &bytes, &size, &e), PR_ERR_MALFORMED);
    pr_results_close(r);
    sample_remove(path);
    sample_remove(merged);
}

static void test_what_is_no_record_is_not_written(void **state) {
    (void)state;
    char path[128];
    pr_error e = {0};
    const uint8_t none[] = {0}, unknown[] = {200, 1, 2}, cut[] = {PR_CONSENSUS_RECORD_VALIDATOR, 1, 2},
                  message_cut[] = {PR_CONSENSUS_RECORD_MESSAGE, 1, PR_MESSAGE_VOTE, 0};
    sample_path(path, "none.h5");
    pr_store *s = sample_create(path, "run", DIGEST);
    uint64_t before = pr_store_journal_bytes(s);
    assert_int_equal(pr_store_consensus(s, none, sizeof none, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_store_consensus(s, unknown, sizeof unknown, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_store_consensus(s, cut, sizeof cut, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_store_consensus(s, message_cut, sizeof message_cut, &e), PR_ERR_MALFORMED);
    assert_int_equal(pr_store_batch(s, cut, sizeof cut, &e), PR_ERR_MALFORMED);
    put_evidence(s, "a", 3); /* of a validator that is not registered: a row, and nobody to remove */
    must(pr_store_commit(s, &e), &e);
    assert_true(pr_store_journal_bytes(s) > before);
    must(pr_store_close(s, &e), &e);
    pr_results *r = open_whole(path);
    (void)rows_of(r, PR_VOTES_EVIDENCE, 1);
    (void)rows_of(r, PR_VOTES_VALIDATORS, 0);
    pr_results_close(r);
    sample_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_record_has_its_row),    cmocka_unit_test(test_each_record_in_words),
        cmocka_unit_test(test_repair_gives_the_same),      cmocka_unit_test(test_numbers_of_attempts_outlive_a_session),
        cmocka_unit_test(test_files_without_these_tables), cmocka_unit_test(test_what_is_no_record_is_not_written),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
