#include "vm_case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

vm_case vm_case_take(pr_vm_program *program, pr_vm_machine *machine, const uint32_t *inputs, size_t n) {
    vm_case c = {.statement = {.program = *program, .n_inputs = (uint32_t)n}};
    pr_vm_public *s = &c.statement;
    pr_error err = {0};
    s->n_steps = machine->n_steps;
    s->end = machine->end;
    s->inputs = malloc((n + 1) * sizeof *inputs);
    assert_non_null(s->inputs);
    if (n) memcpy(s->inputs, inputs, n * sizeof *inputs);
    *program = (pr_vm_program){0};
    if (pr_vm_machine_outputs(&s->outputs, &s->n_outputs, machine, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(pr_vm_trace_init_take(&c.trace, machine, s, NULL), PR_OK);
    if (pr_vm_air(&c.air, s, &err) != PR_OK) fail_msg("%s", err.text);
    c.st = plain_statement(c.air);
    assert_int_equal(pr_vm_public_terms(&c.st, s, NULL), PR_OK);
    c.t = traces_zero(c.air);
    for (uint32_t k = 0; k < c.air->n_components; k++)
        pr_vm_trace_fill(c.t.columns[k], PR_JOB_ROW_ORDER, pr_vm_component_at(s, k), &c.trace, s, 1);
    return c;
}

vm_case vm_case_of_text(const char *text, const uint32_t *inputs, size_t n) {
    pr_vm_program program = vm_assemble(text);
    pr_vm_machine machine = vm_run(&program, inputs, n, true);
    return vm_case_take(&program, &machine, inputs, n);
}

void vm_case_clear(vm_case *c) {
    traces_destroy(&c->t);
    pr_statement_clear(&c->st);
    pr_air_destroy(c->air);
    pr_vm_trace_clear(&c->trace);
    pr_vm_public_clear(&c->statement);
}

pr_check_report vm_case_check(const vm_case *c) {
    pr_check_report report;
    assert_int_equal(pr_check_trace(&report, NULL, &c->st, (pr_m31 *const *const *)c->t.columns, NULL), PR_OK);
    return report;
}

void vm_case_assert_holds(const vm_case *c) { assert_traces_hold(&c->st, &c->t); }

uint32_t vm_case_rows_in_use(const vm_case *c, uint32_t component) {
    const pr_vm_trace *t = &c->trace;
    switch (component) {
    case PR_VM_MAIN:
        return (uint32_t)t->machine.n_rows;
    case PR_VM_PRODUCT:
        return (uint32_t)t->machine.n_products;
    case PR_VM_SPONGE:
        return (uint32_t)t->machine.n_blocks;
    case PR_VM_DIGEST:
        return (uint32_t)t->machine.n_hashes;
    case PR_VM_MEMORY:
        return (uint32_t)t->machine.n_accesses;
    case PR_VM_WORDS:
        return t->machine.memory.n;
    default:
        return (uint32_t)t->calls[component].n;
    }
}
