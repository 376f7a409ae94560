/* Ranks as supervisors: a child is started, dies and is started again in a process with MPI and threads that allocate,
 * while ranks exchange messages.   mpirun -n 2 child_mpi */
#include "support.h"
#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8 };
static atomic_bool done;

static void *allocate(void *unused) {
    (void)unused;
    while (!atomic_load(&done)) {
        void *p = malloc(100000); /* a fork without exec would now and then find this lock taken */
        if (p) memset(p, 1, 100000);
        free(p);
    }
    return NULL;
}

static void exchange(int other) {
    static char mine[1 << 20], theirs[1 << 20];
    MPI_Sendrecv(mine, sizeof mine, MPI_BYTE, other, 0, theirs, sizeof theirs, MPI_BYTE, other, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
}

static void test_ranks(void **state) {
    (void)state;
    fixture f;
    pthread_t threads[2];
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    assert_int_equal(size, 2);
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, allocate, NULL), 0);
    create(&f, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        start(&f);
        exchange(1 - rank);
        submit(&f, FIB, 0, PR_FAULT_NONE, 0);
        exchange(1 - rank);
        pr_child_event e = expect(&f, PR_CHILD_PROVED);
        assert_true(verifies(&f, FIB, &e.record));
        pr_child_event_clear(&e);
        submit(&f, FIB, 1, (i + rank) % 2 ? PR_FAULT_KILL : PR_FAULT_ABORT, 0);
        exchange(1 - rank);
        expect_end(&f, PR_CHILD_SIGNALLED, "signal");
    }
    end_fixture(&f);
    atomic_store(&done, true);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    int code = pr_test_child_main(argc, argv), provided;
    if (code >= 0) return code;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranks)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
    return 0;
}
