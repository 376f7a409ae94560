/* A run of a program with everything that the tests of the VM's AIR look at. */
#ifndef PR_TESTS_JOBS_VM_CASE_H
#define PR_TESTS_JOBS_VM_CASE_H
#include "air/checker.h"
#include "soundness.h"
#include "vm/trace.h"
#include "vm_programs.h"

typedef struct vm_case {
    pr_vm_public statement;
    pr_vm_trace trace;
    pr_air *air;
    pr_statement st; /* with the public terms of what the machine says */
    traces t;
} vm_case;

/* Takes over program and machine, which ended and recorded. */
vm_case vm_case_take(pr_vm_program *program, pr_vm_machine *machine, const uint32_t *inputs, size_t n);
vm_case vm_case_of_text(const char *text, const uint32_t *inputs, size_t n);
void vm_case_clear(vm_case *c);
pr_check_report vm_case_check(const vm_case *c);
/* Rows of a component that the run needs; padding follows. */
uint32_t vm_case_rows_in_use(const vm_case *c, uint32_t component);
/* The checker finds nothing. */
void vm_case_assert_holds(const vm_case *c);
#endif
