/* A child that breaks the protocol: it is killed, the attempt is lost, nothing else. */
#include "support.h"
#include <unistd.h>

typedef struct lie {
    pr_test_fault fault;
    const char *word;
} lie;

static void test_lies(void **state) {
    (void)state;
    static const lie lies[] = {{PR_FAULT_RUBBISH, "sent no frame of a prover child"},
                               {PR_FAULT_TRUNCATED, "ready frame of"},
                               {PR_FAULT_LENGTH, "ready frame of"},
                               {PR_FAULT_LONG, "longer than any frame"},
                               {PR_FAULT_FOREIGN, "sent a stop frame"},
                               {PR_FAULT_READY, "ready for a manifest"},
                               {PR_FAULT_UNBEGUN, "contradicts itself"},
                               {PR_FAULT_SURPLUS, "ready frame with 1 descriptors"},
                               {PR_FAULT_OTHER_JOB, "an answer for job 1, attempt 6, which it does not have"},
                               {PR_FAULT_SHORT_MEMORY, "were said"},
                               {PR_FAULT_UNSEALED, "no sealed memory"},
                               {PR_FAULT_PIPE, "no sealed memory"},
                               {PR_FAULT_NO_MEMORY, "answer frame with 0 descriptors"},
                               {PR_FAULT_BAD_RECORD, "does not decode"},
                               {PR_FAULT_NO_PROOF, "contradicts itself"}};
    fixture f;
    create(&f, NULL);
    size_t fds = count_fds(getpid());
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        start(&f);
        submit(&f, FIB, 6, lies[i].fault, 20000);
        expect_end(&f, PR_CHILD_BROKE_PROTOCOL, lies[i].word);
        assert_int_equal(count_fds(getpid()), fds);
    }
    expect_recovery(&f);
    end_fixture(&f);
}

/* The first answer counts; the second is for a job that the child does not have any more. */
static void test_twice(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, FIB, 1, PR_FAULT_TWICE, 0);
    pr_child_event e = expect(&f, PR_CHILD_PROVED);
    assert_true(verifies(&f, FIB, &e.record));
    pr_child_event_clear(&e);
    expect_end(&f, PR_CHILD_BROKE_PROTOCOL, "an answer for job 0, attempt 1");
    expect_recovery(&f);
    end_fixture(&f);
}

/* Nothing counts that comes after a broken rule, however right it looks. */
static void test_answer_after_rubbish(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, FIB, 1, PR_FAULT_RUBBISH, 0);
    sleep(1); /* so that the answer is there when the rubbish is read */
    expect_end(&f, PR_CHILD_BROKE_PROTOCOL, "sent no frame");
    end_fixture(&f);
}

static void test_closed_socket(void **state) {
    (void)state;
    fixture f;
    begin_fixture(&f);
    submit(&f, FIB, 0, PR_FAULT_CLOSE, 0);
    expect_end(&f, PR_CHILD_KILLED, "closed its socket during quotients");
    expect_recovery(&f);
    end_fixture(&f);
}

int main(int argc, char **argv) {
    int code = pr_test_child_main(argc, argv);
    if (code >= 0) return code;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lies), cmocka_unit_test(test_twice),
                                       cmocka_unit_test(test_answer_after_rubbish),
                                       cmocka_unit_test(test_closed_socket)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
