/* The backends that run on the host's processor: the same kernels compiled for three instruction sets, and a fourth
 * that finds host code which reaches behind the contract. Each is always there; available() says whether it may run.
 *
 *   const pr_backend *b = pr_cpu_best(); */
#ifndef PR_CPU_CPU_BACKEND_H
#define PR_CPU_CPU_BACKEND_H
#include "backend/backend.h"

extern const pr_backend pr_backend_scalar, pr_backend_avx2, pr_backend_avx512;
/* Scalar operations on memory that nobody can touch outside of an operation, poisoned when fresh: for tests. */
extern const pr_backend pr_backend_poison;

/* The widest one available; never NULL. */
const pr_backend *pr_cpu_best(void);
#endif
