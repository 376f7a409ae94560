/* For programs of several ranks that are no cmocka tests: what is not so ends all of them. */
#ifndef PR_TESTS_CLUSTER_CHECK_H
#define PR_TESTS_CLUSTER_CHECK_H
#include <mpi.h>
#include <stdio.h>

#define CHECK(e_)                                                                                                      \
    do {                                                                                                               \
        if (!(e_)) {                                                                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #e_);                                           \
            MPI_Abort(MPI_COMM_WORLD, 1);                                                                              \
        }                                                                                                              \
    } while (0)
#endif
