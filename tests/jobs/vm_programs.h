/* Programs for the tests of the VM. */
#ifndef PR_TESTS_JOBS_VM_PROGRAMS_H
#define PR_TESTS_JOBS_VM_PROGRAMS_H
#include "vm/machine.h"

/* Assembled; a refusal fails the test. */
pr_vm_program vm_assemble(const char *text);
/* Edge values about a third of the time. */
uint32_t vm_random_word(uint64_t *random);
/* A well-formed program of n_instructions; it need not end. */
pr_vm_program vm_random_program(uint64_t *random, uint32_t n_instructions);
/* One that ends within max_steps. */
pr_vm_program vm_random_ending_program(uint64_t *random, uint32_t max_steps);
/* Runs to the end, recording if so wished; an error fails the test. */
pr_vm_machine vm_run(const pr_vm_program *program, const uint32_t *inputs, size_t n, bool records);
#endif
