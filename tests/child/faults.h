/* What a prover child of a test does wrong when its task says so (pr_child_task.fault), or when the environment does:
 * PROVERUN_TEST_FAULTS="3.0:kill,5.*:hang" means job 3 at attempt 0, job 5 at every attempt; "*" for a job: every job;
 * "6+": job 6 and all after it. With PROVERUN_TEST_NO_DEVICE a child finds no device. */
#ifndef PR_TESTS_CHILD_FAULTS_H
#define PR_TESTS_CHILD_FAULTS_H
#include "child/serve.h"

typedef enum pr_test_fault {
    PR_FAULT_NONE,
    /* in the middle of a proof */
    PR_FAULT_KILL,       /* SIGKILL */
    PR_FAULT_ABORT,      /* SIGABRT */
    PR_FAULT_EXIT,       /* exit code 3 */
    PR_FAULT_HANG,       /* runs on and does nothing */
    PR_FAULT_FREEZE,     /* SIGSTOP */
    PR_FAULT_GRANDCHILD, /* leaves a process behind, then SIGKILL */
    PR_FAULT_CLOSE,      /* closes its socket and lives on */
    PR_FAULT_EAT_MEMORY, /* touches memory until it gets no more, then aborts */
    PR_FAULT_RUBBISH,    /* a packet that is no frame */
    PR_FAULT_TRUNCATED,  /* half a frame */
    PR_FAULT_LENGTH,     /* a frame whose length says more than there is */
    PR_FAULT_LONG,       /* a packet longer than any frame */
    PR_FAULT_FOREIGN,    /* a frame that only a supervisor sends */
    PR_FAULT_READY,      /* ready once more */
    PR_FAULT_UNBEGUN,    /* says that the job at hand was not begun */
    PR_FAULT_SURPLUS,    /* a descriptor with a frame that brings none */
    PR_FAULT_GATE, /* waits until there is a file $PROVERUN_TEST_GATE, or none $PROVERUN_TEST_GATE.PID any more, which
                    * it has made, with the job's number in it. Then it goes on, rightly; with a fault beside its
                    * answer, if one is listed */
    /* in place of the answer */
    PR_FAULT_OTHER_JOB,    /* for a job that it never got */
    PR_FAULT_SHORT_MEMORY, /* memory shorter than said */
    PR_FAULT_UNSEALED,     /* memory that it may still change */
    PR_FAULT_PIPE,         /* a descriptor that is no memory */
    PR_FAULT_NO_MEMORY,    /* says there is a record and sends none */
    PR_FAULT_BAD_RECORD,   /* sealed bytes that are no record */
    PR_FAULT_NO_PROOF,     /* success with a record without proof */
    /* beside the answer */
    PR_FAULT_TWICE,       /* the same answer a second time */
    PR_FAULT_LAST_WORD,   /* dies as soon as it has answered */
    PR_FAULT_WRONG_PROOF, /* a byte of the proof is another one */
    PR_FAULT_OTHER_HASH,  /* says that it is another proof */
    PR_FAULT_REFUSED,     /* as if its own verifier had refused the proof: the backend computes wrongly */
    PR_FAULT_DEAF,        /* the same, and then it hears nothing more */
    PR_FAULT_COUNT
} pr_test_fault;
const char *pr_test_fault_name(pr_test_fault fault); /* "kill", "abort", ...; as in the environment's list */

extern const pr_child_faults pr_test_faults;
#endif
