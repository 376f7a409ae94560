/* The job type air: what it proves, what its checks say of a wrong trace before and after a proof, and what a record
 * must have. The case is the example's, edited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "air/job.h"
#include "cpu/cpu_backend.h"
#include "soundness.h"
#include "work/work.h"

static const pr_job_type *const types[] = {&pr_job_air, NULL};
static const pr_hash run_digest = {{7}};
static pr_work work = {.threads = 2, .host = "host", .manifest_digest = &run_digest};
static char folder[64] = "proverun-test-XXXXXX", input[128];
static char *example; /* the text of the example's case */

static int set_up(void **state) {
    (void)state;
    uint8_t *text = NULL;
    size_t size = 0;
    work.backend = pr_cpu_best();
    if (!mkdtemp(folder)) return -1;
    snprintf(input, sizeof input, "%s/case.json", folder);
    if (pr_file_read(&text, &size, PR_TEST_JOBS "/air/two_sizes.json", 1 << 20, NULL) != PR_OK) return -1;
    example = (char *)text;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(example);
    unlink(input);
    return rmdir(folder);
}

static void put_case(const char *text) {
    FILE *f = fopen(input, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* The example with its first `find` replaced. */
static void put_edited(const char *find, const char *put) {
    char *at = strstr(example, find), *text = NULL;
    if (!at) fail_msg("the example has no %s", find);
    if (asprintf(&text, "%.*s%s%s", (int)(at - example), example, put, at + strlen(find)) < 0) fail();
    put_case(text);
    free(text);
}

static pr_manifest manifest_of(const char *params) {
    char text[256], cwd[4096];
    pr_manifest m;
    pr_error err = {0};
    snprintf(text, sizeof text, "version: 1\nname: n\njobs:\n- {id: j, type: air, params: {case: case.json%s}}\n",
             params);
    assert_non_null(getcwd(cwd, sizeof cwd - sizeof folder));
    strcat(cwd, "/");
    strcat(cwd, folder);
    if (pr_manifest_parse(&m, text, strlen(text), "m.yaml", cwd, types, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    return m;
}

static void prove(pr_record *r, const char *params) {
    pr_manifest m = manifest_of(params);
    pr_error err = {0};
    if (pr_work_prove(r, &work, &m.jobs[0], &err) != PR_OK) fail_msg("%s", err.text);
    pr_manifest_clear(&m);
}

static void expect_refused(const char *params, pr_status expected, const char *message) {
    pr_manifest m = manifest_of(params);
    pr_record r;
    pr_error err = {0};
    pr_status status = pr_work_prove(&r, &work, &m.jobs[0], &err);
    if (status != expected || !strstr(err.text, message))
        fail_msg("%s: status %s: %s", params, pr_status_name(status), err.text);
    assert_false(pr_work_may_retry(status));
    assert_null(r.proof);
    pr_record_clear(&r);
    pr_manifest_clear(&m);
}

static void expect_checked(const pr_record *r, const char *params, const char *reason) {
    pr_manifest m = manifest_of(params);
    pr_check_verdict verdict;
    char found[512];
    double ms;
    pr_error err = {0};
    assert_int_equal(pr_work_check(&work, &m.jobs[0], r, PR_CHECK_ALL, &verdict, found, sizeof found, &ms, &err),
                     PR_OK);
    if (reason ? !strstr(found, reason) : found[0] != 0)
        fail_msg("expected %s: %s", reason ? reason : "nothing", found);
    assert_int_equal(verdict == PR_CHECK_ACCEPTED, reason == NULL);
    pr_manifest_clear(&m);
}

/* ---- honest ones ---- */

static void the_example_holds(void **state) {
    (void)state;
    static const char *const params[] = {"", ", check: full", ", check: off", ", statement: case"};
    put_case(example);
    for (size_t i = 0; i < 4; i++) {
        pr_record r;
        prove(&r, params[i]);
        assert_int_equal(r.n_outputs, 4);
        assert_string_equal(r.outputs[3].value, "state -1 (0, 3); state 1 (64, 1301913280)");
        expect_checked(&r, params[i], NULL);
        pr_record_clear(&r);
    }
}

/* Its own parameters, and the digest that it gives, are what the proof is made with. */
static void the_case_s_own_statement(void **state) {
    (void)state;
    pr_record own, foreign;
    put_edited("\"n_queries\": 86", "\"n_queries\": 50");
    prove(&own, "");
    prove(&foreign, ", statement: case");
    assert_int_equal(own.row.n_queries, 76);
    assert_int_equal(foreign.row.n_queries, 50);
    assert_true(foreign.row.insecure);
    assert_string_not_equal(own.row.statement_digest, foreign.row.statement_digest);
    assert_string_equal(own.row.air_digest, foreign.row.air_digest);
    expect_checked(&foreign, "", "the parameter `statement` is not that of the public data");
    pr_record_clear(&own);
    pr_record_clear(&foreign);
}

/* ---- wrong traces ---- */

static void wrong_cells_are_named(void **state) {
    (void)state;
    static const char *const checks[] = {", check: full", ", check: sampled", ", check: off"};
    static const char *const cell[] = {"[3, 9, 82,", "[3, 9, 83,"};
    for (size_t i = 0; i < 3; i++) {
        put_edited(cell[0], cell[1]);
        expect_refused(checks[i], PR_ERR_INPUT, "component 'step', constraint 0, row ");
        put_edited("[4, 4, 4, 4,", "[4, 5, 4, 4,");
        expect_refused(checks[i], PR_ERR_INPUT, "relation 'nibble' is out of balance");
    }
    put_edited(cell[0], cell[1]);
    expect_refused(", check: off", PR_ERR_INPUT, "the verifier refuses the proof: the trace violates its AIR: ");
    put_edited(cell[0], "[3, 9, 2147483647,");
    expect_refused("", PR_ERR_INPUT, "$.trace[0][1][2]: must be a whole number of 0 to 2147483646, found 2147483647");
}

static void wrong_public_terms_are_named(void **state) {
    (void)state;
    put_edited("\"values\": [0, 3]", "\"values\": [0, 4]");
    expect_refused(", check: full", PR_ERR_INPUT, "the trace violates its AIR: relation 'state'");
    expect_refused(", check: sampled", PR_ERR_INPUT, "the verifier refuses the proof: ");
    expect_refused(", check: off", PR_ERR_INPUT, "the verifier refuses the proof: ");
}

static pr_job_instance *create_unchecked(void) {
    const pr_param items[] = {{"case", "case.json"}, {"check", "off"}};
    const pr_params params = {.base_dir = folder, .n = 2, .items = items};
    pr_job_instance *job = NULL;
    assert_int_equal(pr_instance_create(&job, &pr_job_air, &params, NULL), PR_OK);
    return job;
}

static void every_column_is_noticed(void **state) {
    (void)state;
    static const uint32_t busy[] = {64, 16};
    uint64_t random = test_seed();
    put_case(example);
    pr_job_instance *job = create_unchecked();
    traces t = traces_of(&pr_job_air, job, 2);
    pr_statement st = plain_statement(pr_job_air.air(job));
    assert_int_equal(pr_job_air.public_terms(job, &st, NULL), PR_OK);
    assert_traces_hold(&st, &t);
    assert_every_column_is_noticed(pr_job_air.air(job), &t, &random, 20, busy);
    pr_statement_clear(&st);
    traces_destroy(&t);
    pr_instance_destroy(&pr_job_air, job);
}

/* From row 9 on the state is another, and what follows from that is honest. Row 8 puts it in, or nobody does. */
static void jump(pr_m31 **x, bool row_8_lies) {
    if (row_8_lies) x[2][8] = pr_m31_add(x[2][8], 1);
    x[1][9] = pr_m31_add(x[1][9], 1);
    for (uint32_t r = 9; r < 64; r++) {
        x[2][r] = pr_m31_add(pr_m31_square(x[1][r]), x[0][r]);
        if (r + 1 < 64) x[1][r + 1] = x[2][r];
    }
}

/* Both constraints of the example, and its lookups. */
static void each_is_needed(void **state) {
    (void)state;
    put_case(example);
    pr_job_instance *job = create_unchecked();
    traces honest = traces_of(&pr_job_air, job, 1);
    needs needed = needs_create(pr_job_air.air(job), &honest);
    for (int lie = 0; lie < 4; lie++) {
        traces forged = traces_copy(&honest);
        pr_m31 **x = forged.columns[0], *counts = forged.columns[1][0];
        if (lie < 2) jump(x, lie == 1);
        if (lie == 2) x[3][20] += 16, x[4][20]--;           /* 4 + 16 as 20 */
        if (lie == 3) x[3][20]++, counts[4]--, counts[5]++; /* as 5 + 16 */
        culprits found = find_culprits(pr_job_air.air(job), &honest, &forged, NULL);
        assert_int_equal(found.n, 1);
        needs_note(&needed, &found);
        traces_destroy(&forged);
    }
    assert_int_equal(needs_print_missing(&needed), 0);
    needs_destroy(&needed);
    traces_destroy(&honest);
    pr_instance_destroy(&pr_job_air, job);
}

/* ---- the digest ---- */

static void digest_of(char out[65], const char *params) {
    pr_record r;
    prove(&r, params);
    memcpy(out, r.row.statement_digest, 65);
    pr_record_clear(&r);
}

static void digests_bind_the_statement(void **state) {
    (void)state;
    static const char *const edits[][2] = {
        {"\"name\": \"step\"", "\"name\": \"stop\""},
        {"\"values\": [64,", "\"values\": [0, 7]}, {\"relation\": 0, \"multiplicity\": 2147483646, \"values\": [0, "
                             "7]}, {\"relation\": 0, \"multiplicity\": 1, \"values\": [64,"},
        {"\"public_terms\": [", "\"public_terms\": [{\"relation\": 0, \"multiplicity\": 0, "
                                "\"values\": [1, 2]}, "},
        {"\"statement_digest\": \"0", "\"statement_digest\": \"1"}};
    char honest[65], changed[65];
    put_case(example);
    digest_of(honest, "");
    assert_string_equal(honest,
                        "088000d8bffb13d973a26dcb967b4b8ecac3b134259ab0aac5917b2f0b00a742"); /* docs/statement.md */
    for (size_t i = 0; i < 4; i++) {
        put_edited(edits[i][0], edits[i][1]);
        digest_of(changed, "");
        assert_string_not_equal(honest, changed);
    }
}

static void records_are_checked(void **state) {
    (void)state;
    pr_record r;
    put_case(example);
    prove(&r, "");
    static const uint8_t head[] = {0, 0, 0x56, 5, 0, 0, 0, 0, 0, 0, '{', '"', 'a', 'i', 'r', '"', ':', '{'};
    assert_int_equal(r.row.public_bytes, 1376);
    assert_memory_equal(r.public_data, head, sizeof head);
    assert_memory_equal(r.public_data + 1360, "4,1301913280]}]}", 16);
    char *text = (char *)r.public_data, *term = strstr(text + 10, "\"values\":[0,3]");
    assert_non_null(term);
    term[12] = '4';
    expect_checked(&r, "", "statement digest differs");
    pr_record_clear(&r);
}

/* ---- large ones are named by their digest ---- */

static void put_large(void) {
    enum { NODES = 130000 };
    char *nodes = malloc(12 * NODES + 64), *at = nodes;
    assert_non_null(nodes);
    at += sprintf(at, "{\"add\": [0, 12]}");
    for (int i = 0; i < NODES; i++) at += sprintf(at, ",{\"const\":%d}", i % 10);
    put_edited("{\"add\": [0, 12]}", nodes);
    free(nodes);
}

static void long_cases_by_digest(void **state) {
    (void)state;
    pr_record r;
    put_large();
    prove(&r, "");
    assert_int_equal(r.row.public_bytes, 66);
    expect_checked(&r, "", NULL);
    put_case(example);
    expect_checked(&r, "", "its AIR has the digest ");
    unlink(input);
    expect_checked(&r, "", "case.json: cannot open");
    pr_record_clear(&r);
}

/* ---- what is no job ---- */

static void unfit_cases(void **state) {
    (void)state;
    put_case(example);
    put_edited("\"statement_digest\"",
               "\"transcript\": [\"statement_digest\", \"config\", {\"commit\": \"preprocessed\"}, "
               "{\"commit\": \"trace\"}, \"draw_relations\", {\"mix_u64\": 5}, \"claimed_sums\", "
               "{\"commit\": \"interaction\"}],\n\"statement_digest\"");
    expect_refused("", PR_ERR_INPUT, "$.transcript: the case brings a transcript of its own");
    pr_record r;
    prove(&r, ", statement: case");
    expect_checked(&r, ", statement: case", NULL);
    pr_record_clear(&r);
    put_edited(", \"values\": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]", "");
    expect_refused("", PR_ERR_INPUT, "preprocessed column 'nibble' has no values");
    put_edited("\"trace\":", "\"tracé\":");
    expect_refused("", PR_ERR_INPUT, "unknown key");
    put_case("{");
    expect_refused("", PR_ERR_INPUT, "case.json:1:2: $");
    unlink(input);
    expect_refused("", PR_ERR_INPUT, "case.json: cannot open");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_holds),          cmocka_unit_test(the_case_s_own_statement),
        cmocka_unit_test(wrong_cells_are_named),      cmocka_unit_test(wrong_public_terms_are_named),
        cmocka_unit_test(every_column_is_noticed),    cmocka_unit_test(each_is_needed),
        cmocka_unit_test(digests_bind_the_statement), cmocka_unit_test(records_are_checked),
        cmocka_unit_test(long_cases_by_digest),       cmocka_unit_test(unfit_cases),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
