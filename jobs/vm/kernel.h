/* The S-boxes of HASH on many rows at once, one form an instruction set. */
#ifndef PR_JOBS_VM_KERNEL_H
#define PR_JOBS_VM_KERNEL_H
#include "field/m31.h"

/* Columns PR_VM_H_POWERS and PR_VM_H_PAIRS on (of these, those that are not NULL) from BLOCK and CAPACITY, at the
 * places first .. first + n - 1; n: a multiple of 16, at most PR_POSEIDON2_ROWS. */
typedef void pr_vm_sponge_kernel(pr_m31 *const *columns, size_t first, size_t n);
pr_vm_sponge_kernel pr_vm_sponge_scalar, pr_vm_sponge_avx2, pr_vm_sponge_avx512;
#endif
