/* An attempt on one rank, and what another rank's check makes of a record that was tampered with. */
#include "base/random.h"
#include "work/check.h"
#include "work/work.h"
#include "cpu/cpu_backend.h"
#include "proof/proof.h"
#include "file_hash/job.h"
#include "wide_fibonacci/job.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const pr_job_type *const types[] = {&pr_job_file_hash, &pr_job_wide_fibonacci, NULL};
static const char text[] = "version: 1\nname: n\ndefaults: {profile: fast}\njobs:\n"
                           "- {id: fib, type: wide_fibonacci, params: {log_rows: 5, columns: 12, seed: 3}}\n"
                           "- {id: file, type: file_hash, params: {path: check-input.txt}}\n"
                           "- {id: gone, type: file_hash, params: {path: check-no-such-file.txt}}\n";
static const pr_hash run_digest = {{7}};
static pr_manifest manifest;
static pr_work work = {.threads = 1, .rank = 3, .host = "host", .manifest_digest = &run_digest};

static int set_up(void **state) {
    (void)state;
    char cwd[4096];
    pr_error e = {0};
    work.backend = pr_cpu_best();
    FILE *f = fopen("check-input.txt", "w");
    if (!f || !getcwd(cwd, sizeof cwd)) return -1;
    fputs("some bytes of a file that is hashed", f);
    fclose(f);
    if (pr_manifest_parse(&manifest, text, sizeof text - 1, "m.yaml", cwd, types, NULL, &e) == PR_OK) return 0;
    print_error("%s\n", e.text);
    return -1;
}

static int tear_down(void **state) {
    (void)state;
    pr_manifest_clear(&manifest);
    return unlink("check-input.txt");
}

static void prove(pr_record *r, size_t job) {
    pr_error e = {0};
    if (pr_work_prove(r, &work, &manifest.jobs[job], &e) != PR_OK) fail_msg("%s", e.text);
}

static pr_check_verdict check(const pr_record *r, size_t job, pr_check_depth depth, const char *must_say) {
    pr_check_verdict verdict = PR_CHECK_INVALID;
    char reason[512];
    double ms = -1;
    pr_error e = {0};
    if (pr_work_check(&work, &manifest.jobs[job], r, depth, &verdict, reason, sizeof reason, &ms, &e) != PR_OK)
        fail_msg("%s", e.text);
    assert_true(ms >= 0);
    assert_int_equal(verdict == PR_CHECK_ACCEPTED, reason[0] == 0);
    if (must_say && !strstr(reason, must_say)) fail_msg("'%s' lacks '%s'", reason, must_say);
    return verdict;
}

static bool accepts(const pr_record *r, size_t job, const char *must_say) {
    return check(r, job, PR_CHECK_ALL, must_say) == PR_CHECK_ACCEPTED;
}

static void test_honest(void **state) {
    (void)state;
    for (size_t job = 0; job < 2; job++) {
        pr_record r;
        prove(&r, job);
        assert_string_equal(r.row.id, manifest.jobs[job].id);
        assert_int_equal(r.row.state, PR_STATE_SELF_VERIFIED);
        assert_int_equal(r.row.prover_rank, 3);
        assert_true(r.row.insecure); /* the fast profile */
        assert_true(r.row.proof_bytes > 0 && r.row.proof_json_bytes > r.row.proof_bytes);
        assert_int_equal(strlen(r.row.commitment), 64);
        assert_true(r.row.prove_ms > 0 && r.row.finished_ns >= r.row.started_ns);
        assert_true(accepts(&r, job, NULL));
        pr_record_clear(&r);
    }
}

static void test_missing_input(void **state) {
    (void)state;
    pr_record r;
    pr_error e = {0};
    assert_int_equal(pr_work_prove(&r, &work, &manifest.jobs[2], &e), PR_ERR_INPUT);
    assert_non_null(strstr(r.row.reason, "check-no-such-file.txt"));
    assert_int_equal(r.row.state, PR_STATE_QUEUED);
    assert_null(r.proof);
    assert_false(pr_work_may_retry(PR_ERR_INPUT));
    assert_true(pr_work_may_retry(PR_ERR_BACKEND));
    pr_record_clear(&r);
}

static void test_too_little_memory(void **state) {
    (void)state;
    pr_record r;
    pr_error e = {0};
    pr_work small = work;
    small.max_bytes = 4096;
    assert_int_equal(pr_work_prove(&r, &small, &manifest.jobs[0], &e), PR_ERR_MEMORY);
    assert_int_equal(r.row.state, PR_STATE_PREPARED);
    assert_true(r.row.reason[0] != 0);
    pr_record_clear(&r);
}

static void flip_hex(char *digit) { *digit = *digit == '0' ? '1' : '0'; }

static void test_false_rows(void **state) {
    (void)state;
    pr_record r;
    prove(&r, 1);
    const pr_job_row good = r.row;
    flip_hex(&r.row.statement_digest[9]);
    assert_false(accepts(&r, 1, "statement digest"));
    r.row = good;
    flip_hex(&r.row.air_digest[0]);
    assert_false(accepts(&r, 1, "AIR digest"));
    r.row = good;
    flip_hex(&r.row.proof_hash[63]);
    assert_false(accepts(&r, 1, "proof hash"));
    r.row = good;
    flip_hex(&r.row.commitment[5]);
    assert_false(accepts(&r, 1, "commitment"));
    r.row = good;
    snprintf(r.row.id, sizeof r.row.id, "other"); /* another job's place in the run */
    assert_false(accepts(&r, 1, "commitment"));
    r.row = good;
    r.row.conjectured_bits += 40;
    assert_false(accepts(&r, 1, "security"));
    r.row = good;
    r.row.insecure = 0;
    assert_false(accepts(&r, 1, "security"));
    r.row = good;
    r.row.log_rows++;
    assert_false(accepts(&r, 1, "sizes"));
    r.row = good;
    r.row.type_version++;
    assert_false(accepts(&r, 1, "version"));
    r.row = good;
    assert_true(accepts(&r, 1, NULL));
    pr_record_clear(&r);
}

static void test_false_outputs(void **state) {
    (void)state;
    pr_record r;
    prove(&r, 1);
    assert_true(r.n_outputs >= 2);
    flip_hex(&r.outputs[0].value[0]);
    assert_false(accepts(&r, 1, r.outputs[0].name));
    flip_hex(&r.outputs[0].value[0]);
    r.n_outputs--;
    assert_false(accepts(&r, 1, "outputs"));
    r.n_outputs++;
    pr_record_clear(&r);
}

static void test_false_public_data(void **state) {
    (void)state;
    pr_record r;
    prove(&r, 1);
    for (size_t i = 0; i < r.row.public_bytes; i++) {
        r.public_data[i] ^= 1;
        assert_false(accepts(&r, 1, NULL));
        r.public_data[i] ^= 1;
    }
    for (uint64_t n = 0; n < r.row.public_bytes; n++) {
        pr_record cut = r;
        cut.row.public_bytes = n;
        assert_false(accepts(&cut, 1, NULL));
    }
    pr_record_clear(&r);
}

static void test_false_proofs(void **state) {
    (void)state;
    pr_record r;
    pr_prng g = {5};
    prove(&r, 0);
    for (unsigned k = 0; k < 300; k++) {
        size_t i = pr_prng_below(&g, (uint32_t)r.row.proof_compressed_bytes);
        uint8_t flip = (uint8_t)(1 + pr_prng_below(&g, 255));
        r.proof[i] ^= flip;
        assert_false(accepts(&r, 0, NULL));
        r.proof[i] ^= flip;
    }
    pr_record cut = r;
    cut.row.proof_compressed_bytes /= 2;
    assert_false(accepts(&cut, 0, NULL));
    /* the proof of another job, with all its hashes */
    pr_record other;
    prove(&other, 1);
    assert_false(accepts(&other, 0, NULL));
    pr_record_clear(&other);
    assert_true(accepts(&r, 0, NULL));
    pr_record_clear(&r);
}

/* Changes a byte of the canonical encoding, and perhaps cuts it, and makes all hashes fit what came of it: a lying
 * prover. */
static void forge(pr_record *r, size_t job, bool cut) {
    pr_job *j = NULL;
    pr_writer plain, packed;
    pr_error e = {0};
    const pr_manifest_job *m = &manifest.jobs[job];
    assert_int_equal(
        pr_job_restore(&j, m->type, &m->params, &m->config, r->public_data, (size_t)r->row.public_bytes, &e), PR_OK);
    pr_writer_init(&plain);
    pr_writer_init(&packed);
    assert_int_equal(pr_proof_decompress(&plain, &j->layout, r->proof, (size_t)r->row.proof_compressed_bytes),
                     PR_DECODE_OK);
    plain.data[plain.size / 2] ^= 1;
    plain.size -= cut;
    pr_hash hash = pr_blake2s_hash(plain.data, plain.size);
    pr_hex_encode(r->row.proof_hash, hash.bytes, 32);
    r->row.proof_bytes = plain.size;
    assert_int_equal(pr_proof_compress(&packed, plain.data, plain.size, &e), PR_OK);
    free(r->proof);
    r->proof = packed.data;
    r->row.proof_compressed_bytes = packed.size;
    assert_true(pr_check_commitment(r->row.commitment, &r->row, &run_digest));
    pr_writer_clear(&plain);
    pr_job_destroy(j);
}

/* A vote says something of the bytes with a hash, so a record whose surroundings are wrong must not make one. */
static void test_verdicts(void **state) {
    (void)state;
    pr_record r;
    prove(&r, 0);
    assert_int_equal(check(&r, 0, PR_CHECK_AROUND, NULL), PR_CHECK_ACCEPTED);
    r.row.conjectured_bits += 1;
    assert_int_equal(check(&r, 0, PR_CHECK_ALL, "security"), PR_CHECK_RECORD);
    assert_int_equal(check(&r, 0, PR_CHECK_AROUND, "security"), PR_CHECK_RECORD);
    r.row.conjectured_bits -= 1;
    flip_hex(&r.row.proof_hash[0]);
    assert_int_equal(check(&r, 0, PR_CHECK_ALL, "proof hash"), PR_CHECK_RECORD);
    flip_hex(&r.row.proof_hash[0]);
    forge(&r, 0, false);
    assert_int_equal(check(&r, 0, PR_CHECK_ALL, "verifier"), PR_CHECK_INVALID);
    assert_int_equal(check(&r, 0, PR_CHECK_AROUND, NULL), PR_CHECK_ACCEPTED); /* the verifier's part is left out */
    pr_record_clear(&r);
    prove(&r, 0);
    forge(&r, 0, true);
    assert_int_equal(check(&r, 0, PR_CHECK_ALL, "decode"), PR_CHECK_MALFORMED);
    assert_int_equal(check(&r, 0, PR_CHECK_AROUND, "decode"), PR_CHECK_MALFORMED);
    pr_record_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),        cmocka_unit_test(test_missing_input),
        cmocka_unit_test(test_false_rows),    cmocka_unit_test(test_too_little_memory),
        cmocka_unit_test(test_false_outputs), cmocka_unit_test(test_false_public_data),
        cmocka_unit_test(test_false_proofs),  cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
