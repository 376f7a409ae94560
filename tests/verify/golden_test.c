/* Every golden case whose proof is recorded: text -> proof -> text, binary and compressed round trips, verdict. */
#include "casefile/casefile.h"
#include "verify/verify.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void check_round_trips(const pr_proof *proof, const pr_layout *layout, const pr_case *c) {
    pr_writer text, binary, again, packed, unpacked;
    pr_writer_init(&text);
    pr_writer_init(&binary);
    pr_writer_init(&again);
    pr_writer_init(&packed);
    pr_writer_init(&unpacked);
    assert_int_equal(pr_proof_write_envelope(&text, proof, layout), PR_OK);
    assert_int_equal(text.size, c->expected_envelope_size);
    assert_memory_equal(text.data, c->expected_envelope, text.size);

    pr_proof decoded;
    assert_int_equal(pr_proof_encode(&binary, proof, layout), PR_OK);
    assert_true(binary.size <= pr_proof_max_bytes(layout));
    assert_int_equal(pr_proof_decode(&decoded, layout, binary.data, binary.size), PR_DECODE_OK);
    assert_int_equal(pr_proof_encode(&again, &decoded, layout), PR_OK);
    assert_int_equal(again.size, binary.size);
    assert_memory_equal(again.data, binary.data, binary.size);
    pr_proof_clear(&decoded);

    assert_int_equal(pr_proof_compress(&packed, binary.data, binary.size, NULL), PR_OK);
    assert_int_equal(pr_proof_decompress(&unpacked, layout, packed.data, packed.size), PR_DECODE_OK);
    assert_int_equal(unpacked.size, binary.size);
    assert_memory_equal(unpacked.data, binary.data, binary.size);
    printf("%-28s text %7zu  binary %6zu (%4.1f %%)  compressed %6zu (%4.1f %%)\n", c->name, text.size, binary.size,
           100.0 * (double)binary.size / (double)text.size, packed.size,
           100.0 * (double)packed.size / (double)text.size);
    pr_writer_clear(&text);
    pr_writer_clear(&binary);
    pr_writer_clear(&again);
    pr_writer_clear(&packed);
    pr_writer_clear(&unpacked);
}

static bool check_case(const char *path) {
    pr_case c;
    pr_error err = {0};
    pr_verifier *verifier;
    pr_proof proof;
    size_t place = 0;
    pr_verdict verdict;
    if (pr_case_load(&c, path, &err) != PR_OK) fail_msg("%s", err.text);
    bool has_proof = c.has_expected_proof;
    if (has_proof) {
        if (pr_verifier_create(&verifier, &c.statement, &err) != PR_OK) fail_msg("%s: %s", path, err.text);
        const pr_layout *layout = pr_verifier_layout(verifier);
        pr_decode_code code =
            pr_proof_read_envelope(&proof, layout, c.expected_envelope, c.expected_envelope_size, &place);
        if (code != PR_DECODE_OK) fail_msg("%s: %s at %zu", path, pr_decode_code_text(code), place);
        check_round_trips(&proof, layout, &c);
        assert_int_equal(pr_verifier_run(verifier, &proof, &verdict, &err), PR_OK);
        if (verdict != PR_ACCEPTED) fail_msg("%s: %s: %s", path, pr_verdict_text(verdict), err.text);
        pr_proof_clear(&proof);
        pr_verifier_destroy(verifier);
    }
    pr_case_clear(&c);
    return has_proof;
}

static void golden_cases_are_accepted(void **state) {
    (void)state;
    glob_t paths;
    size_t n = 0;
    assert_int_equal(glob(PR_TEST_VECTORS "/cases/*.json", 0, NULL, &paths), 0);
    assert_int_equal(glob(PR_TEST_VECTORS "/cases/random/*.json", GLOB_APPEND, NULL, &paths), 0);
    for (size_t i = 0; i < paths.gl_pathc; i++) n += check_case(paths.gl_pathv[i]);
    assert_int_equal(n, 36);
    globfree(&paths);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_cases_are_accepted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
