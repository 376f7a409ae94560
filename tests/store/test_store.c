/* The results file: written, read again, appended to, cut short and damaged. */
#include "sample.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/hdf.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void put(pr_store *s, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed) {
    sample_put(s, id, outcome, proof_bytes, seed);
    assert_int_equal(pr_store_commit(s, NULL), PR_OK);
}

static pr_store *create(const char *path) { return sample_create(path, "test-run", "none"); }

static void write_sample(const char *path) {
    pr_error e = {0};
    pr_store *s = create(path);
    pr_session_row session = {.ranks = 4, .status = "running"};
    assert_int_equal(pr_store_begin_session(s, &session, &e), PR_OK);
    put(s, "a-1", PR_OUTCOME_APPROVED, 5000, 1);
    put(s, "a-2", PR_OUTCOME_FAILED, 0, 2);
    put(s, "b", PR_OUTCOME_SELF_VERIFIED, 300000, 3);
    snprintf(session.status, sizeof session.status, "complete");
    assert_int_equal(pr_store_end_session(s, &session, &e), PR_OK);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
}

static pr_results *open_results(const char *path) {
    pr_results *r = NULL;
    pr_error e = {0};
    if (pr_results_open(&r, path, &e) != PR_OK) fail_msg("%s", e.text);
    return r;
}

static void check_parts(const pr_results *r, const char *id, uint64_t seed) {
    pr_record want;
    const pr_param_row *params[4];
    const pr_output_row *outputs[4];
    uint8_t *data;
    size_t size;
    pr_error e = {0};
    sample_record(&want, id, PR_OUTCOME_APPROVED, seed == 1 ? 5000 : 300000, seed);
    assert_int_equal(pr_results_params(r, id, params, 4), 2);
    assert_string_equal(params[0]->name, "log_rows");
    assert_string_equal(params[1]->value, "100");
    assert_int_equal(pr_results_outputs(r, id, outputs, 4), 1);
    assert_string_equal(outputs[0]->value, "0102");
    assert_int_equal(pr_results_read_proof(r, id, &data, &size, &e), PR_OK);
    assert_int_equal(size, want.row.proof_compressed_bytes);
    assert_memory_equal(data, want.proof, size);
    free(data);
    assert_int_equal(pr_results_read_public(r, id, &data, &size, &e), PR_OK);
    assert_int_equal(size, 40);
    assert_memory_equal(data, want.public_data, size);
    free(data);
    pr_record_clear(&want);
}

static void test_round_trip(void **state) {
    (void)state;
    char path[128];
    sample_path(path, "round.h5");
    write_sample(path);
    pr_results *r = open_results(path);
    assert_string_equal(pr_results_problems(r), "");
    assert_int_equal(pr_results_n_jobs(r), 3);
    assert_string_equal(pr_results_job(r, 0)->id, "a-1");
    assert_string_equal(pr_results_job(r, 0)->type, "wide_fibonacci");
    assert_int_equal(pr_results_job(r, 0)->insecure, 1);
    assert_int_equal(pr_results_job(r, 0)->verifier_rank, -1);
    assert_true(pr_results_job(r, 0)->prove_ms == 12.5);
    assert_int_equal(pr_results_job(r, 1)->outcome, PR_OUTCOME_FAILED);
    assert_string_equal(pr_results_job(r, 1)->reason, "no such file");
    check_parts(r, "a-1", 1);
    check_parts(r, "b", 3);
    assert_null(pr_results_proof(r, "a-2"));
    assert_null(pr_results_proof(r, "zzz"));
    assert_string_equal(pr_results_attribute(r, "run_id"), "test-run");
    assert_null(pr_results_attribute(r, "no such"));
    assert_int_equal(pr_results_n_sessions(r), 1);
    assert_string_equal(pr_results_session(r, 0)->status, "complete");
    pr_results_close(r);
    pr_store *s = NULL;
    pr_error e = {0};
    assert_int_equal(pr_store_create(&s, path, NULL, 0, &e), PR_ERR_IO);
    sample_remove(path);
}

static void test_reopen_appends_and_replaces(void **state) {
    (void)state;
    char path[128];
    pr_error e = {0};
    pr_store *s = NULL;
    sample_path(path, "again.h5");
    write_sample(path);
    assert_int_equal(pr_store_reopen(&s, path, &e), PR_OK);
    put(s, "a-2", PR_OUTCOME_APPROVED, 5000, 1); /* failed before: its row is replaced */
    put(s, "c", PR_OUTCOME_APPROVED, 5000, 1);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    pr_results *r = open_results(path);
    assert_int_equal(pr_results_n_jobs(r), 4);
    assert_int_equal(pr_results_job(r, 1)->outcome, PR_OUTCOME_APPROVED);
    assert_string_equal(pr_results_job(r, 1)->reason, "");
    check_parts(r, "a-2", 1);
    check_parts(r, "c", 1);
    check_parts(r, "b", 3);
    pr_results_close(r);
    sample_remove(path);
}

static void test_many_rows_cross_chunks(void **state) {
    (void)state;
    char path[128], id[32];
    pr_error e = {0};
    sample_path(path, "many.h5");
    pr_store *s = create(path);
    for (unsigned i = 0; i < 300; i++) {
        pr_record r;
        snprintf(id, sizeof id, "job-%u", i);
        sample_record(&r, id, PR_OUTCOME_APPROVED, i, i);
        assert_int_equal(pr_store_put(s, &r, &e), PR_OK);
        pr_record_clear(&r);
    }
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    pr_results *r = open_results(path);
    assert_int_equal(pr_results_n_jobs(r), 300);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "job-%u", i);
        assert_string_equal(pr_results_job(r, i)->id, id);
    }
    assert_int_equal(pr_results_proof(r, "job-299")->length, 299);
    pr_results_close(r);
    sample_remove(path);
}

/* A million jobs have more votes or outputs than 2^24. */
static void test_more_rows_than_any_limit(void **state) {
    (void)state;
    enum { PIECE = 1 << 21, PIECES = 9 };
    const pr_field field = {"n", PR_FIELD_U32, 0, 4, "a number"};
    const pr_row_spec spec = {4, 1, &field};
    char path[128];
    pr_error e = {0};
    pr_table t;
    uint32_t *rows = calloc(PIECE, sizeof *rows), last = 1;
    sample_path(path, "rows.h5");
    pr_hdf_init();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_int_equal(pr_table_create(&t, file, path, "/rows", &spec, "rows", &e), PR_OK);
    for (unsigned k = 0; k < PIECES; k++) {
        rows[PIECE - 1] = k;
        pr_table_close(&t);
        if (pr_table_open(&t, file, path, "/rows", &spec, &e) != PR_OK) fail_msg("%u pieces: %s", k, e.text);
        assert_int_equal(pr_table_append(&t, rows, PIECE, &e), PR_OK);
    }
    assert_int_equal(pr_table_read(&t, &last, (uint64_t)PIECE * PIECES - 1, 1, &e), PR_OK);
    assert_int_equal(last, PIECES - 1);
    pr_table_close(&t);
    assert_int_equal(pr_table_open(&t, file, path, "/rows", &spec, &e), PR_OK);
    assert_int_equal(t.n, (uint64_t)PIECE * PIECES);
    pr_table_close(&t);
    assert_int_equal(pr_hdf_close(file, path, &e), PR_OK);
    free(rows);
    unlink(path);
}

static void test_long_attribute(void **state) {
    (void)state;
    char path[128];
    pr_error e = {0};
    pr_store *s = NULL;
    sample_path(path, "long.h5");
    char *text = malloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    text[1 << 20] = 0;
    const pr_attribute attribute = {"manifest_text", text};
    assert_int_equal(pr_store_create(&s, path, &attribute, 1, &e), PR_OK);
    assert_int_equal(pr_store_close(s, &e), PR_OK);
    pr_results *r = open_results(path);
    assert_string_equal(pr_results_attribute(r, "manifest_text"), text);
    pr_results_close(r);
    free(text);
    sample_remove(path);
}

/* What is committed is there after SIGKILL. */
static void test_killed_writer_loses_nothing_committed(void **state) {
    (void)state;
    char path[128], id[32];
    sample_path(path, "killed.h5");
    sample_remove(path);
    for (unsigned round = 0; round < 5; round++) {
        int tell[2];
        unsigned committed = 0, n;
        assert_int_equal(pipe(tell), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            pr_store *s = NULL;
            pr_error e = {0};
            if (round ? pr_store_reopen(&s, path, &e) : pr_store_create(&s, path, NULL, 0, &e)) _exit(1);
            for (n = 1;; n++) {
                pr_record r;
                snprintf(id, sizeof id, "r%u-%u", round, n);
                sample_record(&r, id, PR_OUTCOME_APPROVED, 2000, n);
                if (pr_store_put(s, &r, &e) || pr_store_commit(s, &e)) _exit(1);
                pr_record_clear(&r);
                if (write(tell[1], &n, sizeof n) != sizeof n) _exit(1);
            }
        }
        close(tell[1]);
        for (unsigned k = 0; k < 10 + 7 * round; k++) assert_int_equal(read(tell[0], &committed, sizeof committed), 4);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(tell[0], &n, sizeof n) == 4) committed = n;
        close(tell[0]);
        bool rebuilt;
        pr_error repair = {0};
        if (pr_store_repair(&rebuilt, path, &repair) != PR_OK) fail_msg("%s", repair.text);
        assert_true(rebuilt);
        pr_results *r = open_results(path);
        for (n = 1; n <= committed; n++) {
            uint8_t *data;
            size_t size;
            pr_error e = {0};
            snprintf(id, sizeof id, "r%u-%u", round, n);
            assert_int_equal(pr_results_read_proof(r, id, &data, &size, &e), PR_OK);
            assert_int_equal(size, 2000);
            free(data);
        }
        pr_results_close(r);
    }
    sample_remove(path);
}

static void write_file(const char *path, const uint8_t *data, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void test_damage_is_survived(void **state) {
    (void)state;
    char path[128], bad[128];
    uint8_t *data;
    size_t size;
    pr_error e = {0};
    sample_path(path, "good.h5");
    sample_path(bad, "bad.h5");
    write_sample(path);
    assert_int_equal(pr_file_read(&data, &size, path, (size_t)1 << 30, &e), PR_OK);
    pr_prng g = {20261124};
    unsigned refused = 0;
    for (unsigned k = 0; k < 100; k++) {
        size_t cut = pr_prng_below(&g, (uint32_t)size), place = pr_prng_below(&g, k % 2 ? 8192 : (uint32_t)size);
        if (k % 5 == 0) {
            write_file(bad, data, cut);
        } else {
            uint8_t flip = (uint8_t)(1 + pr_prng_below(&g, 255));
            data[place] ^= flip;
            write_file(bad, data, size);
            data[place] ^= flip;
        }
        memset(&e, 0, sizeof e);
        if (pr_results_probe(bad, &e) == PR_OK) continue;
        refused++;
        assert_non_null(strstr(e.text, bad));
    }
    assert_true(refused >= 20); /* all the cut ones, at least */
    free(data);
    sample_remove(path);
    unlink(bad);
}

static int crash(void *context) {
    (void)context;
    raise(SIGSEGV);
    return 0;
}
static int hang(void *context) {
    while (!context) pause();
    return 0;
}
static int answer(void *context) { return *(int *)context; }

static void pause_ms(unsigned ms) {
    struct timespec left = {0, (long)ms * 1000000};
    while (nanosleep(&left, &left) != 0) continue;
}

static int get_on(void *context) {
    for (int i = 0; i < 12; i++, pr_store_guard_step()) pause_ms(40);
    return context != NULL;
}

/* ---- a disk that takes its time: the HDF5 library finds this function first ---- */

static unsigned read_ms;

ssize_t pread(int fd, void *data, size_t n, off_t offset) {
    if (read_ms) pause_ms(read_ms);
    return syscall(SYS_pread64, fd, data, n, offset);
}

/* The number of proofs. */
static int read_all(void *path) {
    pr_results *r = NULL;
    int n = 0;
    read_ms = 6;
    if (pr_results_open(&r, path, NULL) != PR_OK) return 255;
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        uint8_t *data = NULL;
        size_t size;
        n += pr_results_read_proof(r, pr_results_job(r, i)->id, &data, &size, NULL) == PR_OK;
        free(data);
    }
    return n;
}

static void test_guard(void **state) {
    (void)state;
    int code = -1, seven = 7;
    pr_error e = {0};
    assert_int_equal(pr_store_guard(&code, crash, NULL, "x.h5", 0, &e), PR_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "x.h5"));
    assert_int_equal(pr_store_guard(&code, hang, NULL, "x.h5", 240, &e), PR_ERR_IO);
    assert_non_null(strstr(e.text, "x.h5: not read: for 0.24 s the HDF5 library got no further"));
    assert_int_equal(pr_store_guard(&code, get_on, NULL, "x.h5", 240, &e), PR_OK);
    assert_int_equal(pr_store_guard(&code, answer, &seven, "x.h5", 0, &e), PR_OK);
    assert_int_equal(code, 7);
}

/* However long it takes, a file that can be read is read. */
static void test_slow_disk(void **state) {
    (void)state;
    char path[128];
    int code = -1;
    pr_error e = {0};
    sample_path(path, "slow.h5");
    write_sample(path);
    uint64_t begin = pr_clock_monotonic_ns();
    assert_int_equal(pr_store_guard(&code, read_all, path, path, 300, &e), PR_OK);
    assert_int_equal(code, 2);
    assert_true(pr_clock_monotonic_ns() - begin > 330000000u);
    sample_remove(path);
}

static void test_not_a_results_file(void **state) {
    (void)state;
    char path[128];
    pr_results *r = NULL;
    pr_store *s = NULL;
    pr_error e = {0};
    sample_path(path, "text.h5");
    write_file(path, (const uint8_t *)"hello\n", 6);
    assert_int_not_equal(pr_results_open(&r, path, &e), PR_OK);
    assert_non_null(strstr(e.text, path));
    assert_int_not_equal(pr_store_reopen(&s, path, &e), PR_OK);
    sample_remove(path);
    assert_int_equal(pr_results_open(&r, path, &e), PR_ERR_IO);
    assert_non_null(strstr(e.text, "No such file"));
}

static void test_record_encoding(void **state) {
    (void)state;
    pr_record r, back;
    pr_writer w;
    pr_error e = {0};
    sample_record(&r, "job", PR_OUTCOME_APPROVED, 777, 9);
    pr_writer_init(&w);
    pr_record_encode(&w, &r);
    assert_int_equal(pr_record_decode(&back, w.data, w.size, &e), PR_OK);
    assert_memory_equal(&back.row, &r.row, sizeof r.row);
    assert_int_equal(back.n_params, 2);
    assert_memory_equal(back.proof, r.proof, 777);
    pr_record_clear(&back);
    for (size_t n = 0; n < w.size; n++) assert_int_equal(pr_record_decode(&back, w.data, n, &e), PR_ERR_MALFORMED);
    pr_prng g = {7};
    for (unsigned k = 0; k < 3000; k++) {
        size_t place = pr_prng_below(&g, (uint32_t)w.size);
        uint8_t flip = (uint8_t)(1 + pr_prng_below(&g, 255));
        w.data[place] ^= flip;
        if (pr_record_decode(&back, w.data, w.size, &e) == PR_OK) {
            assert_true(back.row.outcome < PR_OUTCOME_COUNT);
            assert_non_null(memchr(back.row.id, 0, sizeof back.row.id));
            pr_record_clear(&back);
        }
        w.data[place] ^= flip;
    }
    pr_writer_clear(&w);
    pr_record_clear(&r);
}

static void test_texts_are_cut_whole(void **state) {
    (void)state;
    char out[6];
    pr_row_set_text(out, sizeof out, "abcd\xc3\xa9"); /* e acute does not fit */
    assert_string_equal(out, "abcd");
    pr_row_set_text(out, sizeof out, "a\nb");
    assert_string_equal(out, "a b");
    pr_row_set_text(out, sizeof out, "abcdef");
    assert_string_equal(out, "abcde");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_reopen_appends_and_replaces),
        cmocka_unit_test(test_many_rows_cross_chunks),
        cmocka_unit_test(test_more_rows_than_any_limit),
        cmocka_unit_test(test_long_attribute),
        cmocka_unit_test(test_killed_writer_loses_nothing_committed),
        cmocka_unit_test(test_damage_is_survived),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_not_a_results_file),
        cmocka_unit_test(test_record_encoding),
        cmocka_unit_test(test_texts_are_cut_whole),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
