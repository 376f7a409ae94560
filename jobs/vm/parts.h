/* What the files of the VM's AIR share while they build it. */
#ifndef PR_JOBS_VM_PARTS_H
#define PR_JOBS_VM_PARTS_H
#include "air/builder.h"
#include "vm/layout.h"

typedef struct pr_vm_parts {
    pr_air_builder *b;
    const pr_vm_public *statement;
    pr_expr one;                         /* of the open component */
    uint32_t relations[PR_VM_RELATIONS]; /* their numbers in the AIR */
    pr_vm_flag extra[PR_VM_EXTRA_FLAGS];
    uint32_t n_extra;
} pr_vm_parts;

enum { PR_VM_MOST_COLUMNS = 64 };

/* Begins the component and adds its columns, each read in its own row. */
void pr_vm_begin(pr_vm_parts *p, pr_vm_component component, const char *name, pr_expr *columns, uint32_t n);
void pr_vm_boolean(pr_vm_parts *p, const char *name, pr_expr x);
/* Columns first .. first + n - 1 are zero where live is. */
void pr_vm_blank(pr_vm_parts *p, pr_expr live, const pr_expr *columns, uint32_t first, uint32_t n);
/* What a row puts into a relation, some row takes out of it, as often: put has the multiplicity -times, take times. */
void pr_vm_put(pr_vm_parts *p, pr_vm_relation relation, pr_expr times, const pr_expr *values, uint32_t n);
void pr_vm_take(pr_vm_parts *p, pr_vm_relation relation, pr_expr times, const pr_expr *values, uint32_t n);
/* Takes one value. */
void pr_vm_range(pr_vm_parts *p, pr_vm_relation relation, pr_expr live, pr_expr value);
pr_expr pr_vm_times(pr_vm_parts *p, int64_t factor, pr_expr x);
/* low + 256 high */
pr_expr pr_vm_from_bytes(pr_vm_parts *p, pr_expr low, pr_expr high);

/* The function computed by rows that are live: puts in (function, a, b, c). */
void pr_vm_put_function(pr_vm_parts *p, pr_expr live, pr_expr function, const pr_expr a[2], const pr_expr b[2],
                        const pr_expr c[2]);
/* The part of x * y, four bytes each, that counts 2^(16 half): below 2^27. */
pr_expr pr_vm_half_of_product(pr_vm_parts *p, const pr_expr *x, const pr_expr *y, int half);
void pr_vm_halves_of_bytes(pr_vm_parts *p, pr_expr out[2], const pr_expr *bytes);
void pr_vm_look_up_bytes(pr_vm_parts *p, pr_expr live, const pr_expr *bytes); /* four */

void pr_vm_air_main(pr_vm_parts *p);
void pr_vm_air_memory(pr_vm_parts *p);
void pr_vm_air_words(pr_vm_parts *p);
void pr_vm_air_registers(pr_vm_parts *p);
void pr_vm_air_addition(pr_vm_parts *p);
void pr_vm_air_bitwise(pr_vm_parts *p);
void pr_vm_air_multiplication(pr_vm_parts *p);
void pr_vm_air_division(pr_vm_parts *p);
void pr_vm_air_shift(pr_vm_parts *p);
void pr_vm_air_equality(pr_vm_parts *p);
void pr_vm_air_rectifier(pr_vm_parts *p);
void pr_vm_air_product(pr_vm_parts *p);
void pr_vm_air_sponge(pr_vm_parts *p);
void pr_vm_air_digest(pr_vm_parts *p);
/* A row's columns, the first n_masked of them also as they are in the row before. */
void pr_vm_begin_masked(pr_vm_parts *p, pr_vm_component component, const char *name, pr_expr *columns, pr_expr *before,
                        uint32_t n_masked, uint32_t n);

/* Preprocessed columns of all components; PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_add_tables(pr_vm_parts *p, pr_error *err);
void pr_vm_air_program(pr_vm_parts *p);
void pr_vm_air_tables(pr_vm_parts *p);
#endif
