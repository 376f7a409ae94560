/* Anything at all as a journal: never a crash, and no frame that was not written. Then frames with good checksums
 * around broken payloads, which reach the decoders, the state and the rebuilding. Long: PROVERUN_TEST_LONG=1. */
#include "sample.h"
#include "base/random.h"
#include "consensus/consensus.h"
#include "store/frame.h"
#include "store/state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[64], results[64];
static uint8_t *original;
static size_t original_size;

static unsigned rounds(unsigned normal) { return getenv("PROVERUN_TEST_LONG") ? 100 * normal : normal; }

typedef struct kept {
    uint8_t *payloads[64];
    size_t sizes[64], n;
} kept;
static kept truth;

static pr_status keep(void *context, const pr_frame *f, pr_error *err) {
    (void)context;
    (void)err;
    assert_int_equal(f->sequence, truth.n);
    assert_true(truth.n < 64);
    truth.payloads[truth.n] = malloc(f->size + 1);
    memcpy(truth.payloads[truth.n], f->payload, f->size);
    truth.sizes[truth.n++] = f->size;
    return PR_OK;
}

/* Records of the consensus: a validator, that it is away, its vote, an outcome. */
static bool put_ballots(pr_store *s) {
    uint8_t validator[41] = {PR_CONSENSUS_RECORD_VALIDATOR, [33] = 1},
            away[1 + PR_AWAY_BYTES] = {PR_CONSENSUS_RECORD_AWAY};
    uint8_t outcome[PR_SUBJECT_BYTES + 10] = {PR_CONSENSUS_RECORD_OUTCOME}, vote[PR_MESSAGE_MAX_BYTES + 1];
    pr_message m = {.kind = PR_MESSAGE_VOTE, .n_validators = 2, .verdict = PR_VOTE_APPROVE, .subject.prover = 1};
    vote[0] = PR_CONSENSUS_RECORD_MESSAGE;
    return pr_store_consensus(s, validator, sizeof validator, NULL) == PR_OK &&
           pr_store_consensus(s, away, sizeof away, NULL) == PR_OK &&
           pr_store_consensus(s, vote, 1 + pr_message_encode(vote + 1, &m), NULL) == PR_OK &&
           pr_store_consensus(s, outcome, sizeof outcome, NULL) == PR_OK;
}

static int setup(void **state) {
    pr_store *s;
    pr_session_row row = {.ranks = 2, .jobs = 4};
    pr_rank_row rank = {.rank = 1, .id = "a"};
    const pr_attribute attributes[] = {{"run_id", "fuzz"}, {"manifest_text", "version: 1\n"}};
    (void)state;
    sample_remove(results);
    if (pr_store_create(&s, results, attributes, 2, NULL) != PR_OK) return -1;
    if (pr_store_begin_session(s, &row, NULL) || pr_store_note_assignment(s, "a", 1, PR_ASSIGNED_PROVE, 1, NULL) ||
        pr_store_note_rank(s, &rank, NULL) || pr_store_event(s, PR_EVENT_NOTE, 1, "a", "text", NULL) ||
        pr_store_sample(s, "series", 1.5, NULL) || !put_ballots(s))
        return -1;
    sample_put(s, "a", PR_OUTCOME_APPROVED, 300, 1);
    sample_put(s, "b", PR_OUTCOME_FAILED, 0, 2);
    sample_put(s, "b", PR_OUTCOME_APPROVED, 30, 3);
    if (pr_store_end_session(s, &row, NULL) || pr_store_close(s, NULL)) return -1;
    pr_scan scan = {.visit = keep};
    if (pr_journal_scan(&scan, path, NULL) != PR_OK) return -1;
    return pr_file_read(&original, &original_size, path, 1 << 20, NULL) == PR_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < truth.n; i++) free(truth.payloads[i]);
    free(original);
    sample_remove(results);
    return 0;
}

static void rewrite(const uint8_t *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* One change of bytes; returns the new size. data has room for twice the original. */
static size_t mutate(uint8_t *data, size_t size, pr_prng *g) {
    size_t at = pr_prng_below(g, (uint32_t)size), n = 1 + pr_prng_below(g, 200);
    switch (pr_prng_below(g, 5)) {
    case 0: /* a bit */
        data[at] ^= (uint8_t)(1u << pr_prng_below(g, 8));
        return size;
    case 1: /* noise */
        for (size_t i = at; i < size && i < at + n; i++) data[i] = (uint8_t)pr_prng_next(g);
        return size;
    case 2: /* cut out */
        if (n > size - at) n = size - at;
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    case 3: /* put in */
        memmove(data + at + n, data + at, size - at);
        for (size_t i = at; i < at + n; i++) data[i] = pr_prng_below(g, 2) ? 0 : (uint8_t)pr_prng_next(g);
        return size + n;
    default: /* end */
        return at;
    }
}

static pr_status compare(void *context, const pr_frame *f, pr_error *err) {
    (void)context;
    (void)err;
    assert_true(f->sequence < truth.n);
    assert_int_equal(f->size, truth.sizes[f->sequence]);
    assert_memory_equal(f->payload, truth.payloads[f->sequence], f->size);
    return PR_OK;
}

static void test_bytes(void **state) {
    (void)state;
    uint8_t *data = malloc(2 * original_size + 4096);
    pr_prng g = {20261125};
    size_t with_frames = 0;
    for (unsigned k = 0; k < rounds(2000); k++) {
        size_t size = original_size;
        memcpy(data, original, size);
        unsigned times = 1 + pr_prng_below(&g, 4);
        for (unsigned t = 0; t < times && size > 0 && size < 2 * original_size; t++) size = mutate(data, size, &g);
        rewrite(data, size);
        pr_scan scan = {.visit = compare};
        pr_status status = pr_journal_scan(&scan, path, NULL);
        assert_true(status == PR_OK || status == PR_ERR_MALFORMED);
        with_frames += status == PR_OK && scan.n_frames > 0;
        assert_true(scan.n_frames <= truth.n);
    }
    assert_true(with_frames > rounds(2000) / 2);
    free(data);
}

/* A journal of frames whose checksums hold and whose payloads are anything. */
static void write_forged(pr_prng *g) {
    pr_writer w;
    uint8_t header[PR_SEGMENT_HEADER];
    const pr_segment_header h = {.version = PR_JOURNAL_VERSION, .run_id = "fuzz"};
    pr_writer_init(&w);
    pr_segment_header_encode(header, &h);
    pr_write_bytes(&w, header, sizeof header);
    for (uint64_t k = 0; k < 6 + pr_prng_below(g, 8); k++) {
        size_t from = pr_prng_below(g, (uint32_t)truth.n), size = truth.sizes[from];
        uint8_t *payload = calloc(1, 2 * size + 4096);
        memcpy(payload, truth.payloads[from], size);
        if (size && pr_prng_below(g, 4)) size = mutate(payload, size, g);
        const pr_frame f = {.type = pr_prng_below(g, 8) ? (uint32_t)(from ? pr_prng_below(g, 10) : 1) : 2,
                            .rank = (int32_t)pr_prng_below(g, 5) - 2,
                            .sequence = k,
                            .id = pr_prng_below(g, 2) ? "a" : "",
                            .payload = payload,
                            .size = size};
        pr_frame_encode(&w, &f);
        free(payload);
    }
    rewrite(w.data, w.size);
    pr_writer_clear(&w);
}

static void test_payloads(void **state) {
    (void)state;
    pr_prng g = {7};
    size_t rebuilt_some = 0, refused = 0;
    for (unsigned k = 0; k < rounds(200); k++) {
        pr_run_state *s;
        bool rebuilt, lost;
        write_forged(&g);
        assert_int_equal(pr_run_state_load(&s, path, NULL), PR_OK);
        pr_run_state_free(s);
        pr_status status = pr_store_repair(&rebuilt, results, NULL);
        rebuilt_some += status == PR_OK;
        refused += status == PR_ERR_MALFORMED;
        if (status != PR_ERR_MALFORMED || k % 8) continue;
        pr_writer told;
        pr_writer_init(&told);
        status = pr_store_salvage(&lost, &told, results, NULL);
        assert_true(status == PR_OK || status == PR_ERR_MALFORMED || status == PR_ERR_IO);
        pr_writer_clear(&told);
    }
    assert_true(rebuilt_some + refused > rounds(200) * 9 / 10 && refused > 0);
}

int main(void) {
    snprintf(results, sizeof results, "fuzz-journal-%d.h5", (int)getpid());
    snprintf(path, sizeof path, "fuzz-journal-%d.journal", (int)getpid());
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_payloads)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
