/* What the inputs of a circuit are: by name, from a text, or in the order in which the circuit declares them. */
#ifndef PR_JOBS_PLONK_VALUES_H
#define PR_JOBS_PLONK_VALUES_H
#include "base/error.h"
#include "field/m31.h"

typedef struct pr_plonk_value {
    const char *name; /* in the text, up to its = */
    size_t size;      /* of the name */
    pr_m31 value;
    uint32_t line;
} pr_plonk_value;

typedef struct pr_plonk_values {
    const char *source;    /* for messages */
    pr_plonk_value *named; /* [n] by name, owned; NULL: ordered */
    pr_m31 *ordered;       /* [n], owned */
    size_t n, next;        /* next: of ordered, the first that no input has taken */
} pr_plonk_values;

/* "x=3 y=5" between blanks, commas and line ends; # begins a comment. text: 0-terminated, borrowed. PR_ERR_INPUT:
 * "SOURCE:LINE:COLUMN: ..." for a word that is no NAME=NUMBER below p, or a second value of a name. */
PR_MUST_CHECK pr_status pr_plonk_values_parse(pr_plonk_values *out, const char *text, const char *source,
                                              pr_error *err);
void pr_plonk_values_clear(pr_plonk_values *v);
/* The value of the next input that the circuit declares; false: there is none. */
bool pr_plonk_values_take(pr_plonk_values *v, pr_m31 *out, const char *name);
#endif
