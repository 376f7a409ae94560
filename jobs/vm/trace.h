/* From a recorded run to the columns of the AIR. */
#ifndef PR_JOBS_VM_TRACE_H
#define PR_JOBS_VM_TRACE_H
#include "rows.h"
#include "vm/layout.h"

/* Which component computes a function. A shift's asks for a product or a quotient in its turn. */
pr_vm_component pr_vm_component_of(pr_vm_alu alu);

/* One row of an arithmetic component. */
typedef struct pr_vm_call {
    uint32_t a, b, c;
    uint8_t alu; /* pr_vm_alu */
} pr_vm_call;

typedef struct pr_vm_calls {
    pr_vm_call *items; /* owned */
    size_t n, capacity;
} pr_vm_calls;

typedef struct pr_vm_trace {
    pr_vm_machine machine;                                    /* owned; stopped, its words sorted */
    pr_m31 (*line_values)[PR_VM_MOST_LINE_VALUES];            /* [machine.n_lines], owned */
    uint32_t n_extra;                                         /* flags of these */
    pr_vm_calls calls[PR_VM_COMPONENTS];                      /* of the arithmetic components */
    uint32_t *line_counts;                                    /* [1 << log_rows of the program] */
    uint32_t *range16_counts, *range10_counts, *power_counts; /* by the number */
    uint32_t *and_counts, *pair_counts;                       /* [1 << 16]: x + 256 y */
    uint32_t n_inputs, n_data, n_outputs;
} pr_vm_trace;

/* Takes over a machine that ran to its end with records, whatever the status; fills the sizes that the statement takes
 * from the run. The statement has program, inputs, outputs, steps, end. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_trace_init_take(pr_vm_trace *trace, pr_vm_machine *machine, pr_vm_public *statement,
                                              pr_error *err);
void pr_vm_trace_clear(pr_vm_trace *trace);
/* columns: those of the component, 1 << its log_rows words each. n_threads 0: all of the process's processors. */
void pr_vm_trace_fill(pr_m31 *const *columns, pr_job_order order, pr_vm_component component, const pr_vm_trace *trace,
                      const pr_vm_public *statement, unsigned n_threads);

/* One row of a component, the columns of vm/layout.h: column k goes to out[k * PR_VM_BLOCK], which is zero before.
 * index below the component's rows in use. */
enum { PR_VM_BLOCK = 64 }; /* rows that are filled together */
void pr_vm_row_main(pr_m31 *out, const pr_vm_trace *trace, const pr_vm_step *step);
void pr_vm_row_memory(pr_m31 *out, const pr_vm_access *access);
void pr_vm_row_words(pr_m31 *out, const pr_vm_trace *trace, size_t index);
void pr_vm_row_registers(pr_m31 *out, const pr_vm_trace *trace, size_t index);
void pr_vm_row_addition(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_bitwise(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_multiplication(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_division(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_shift(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_equality(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_rectifier(pr_m31 *out, const pr_vm_call *call);
void pr_vm_row_product(pr_m31 *out, const pr_vm_trace *trace, size_t index);
void pr_vm_row_sponge(pr_m31 *out, const pr_vm_trace *trace, size_t index); /* all but the S-boxes */
void pr_vm_row_digest(pr_m31 *out, const pr_vm_trace *trace, size_t index);
#endif
