/* An AIR in memory: what air-format.md's "air" holds, validated. Plain data; one arena-like owner.
 *
 * Node operands are earlier nodes of the same component. Offsets count rows. Values of preprocessed columns are in row
 * order and may be NULL where they are not known yet. Everything is owned by the pr_air and freed by pr_air_destroy.
 * Read-only after creation: any thread may read. Build one with air/builder.h or import one with casefile/. */
#ifndef PR_AIR_AIR_H
#define PR_AIR_AIR_H
#include "base/error.h"
#include "field/qm31.h"
#include "hash/blake2s.h"

#define PR_AIR_MAX_LOG_ROWS 24
#define PR_AIR_MAX_OFFSETS 4

typedef enum pr_node_op {
    PR_NODE_COL,
    PR_NODE_PRE,
    PR_NODE_CONST,
    PR_NODE_ADD,
    PR_NODE_SUB,
    PR_NODE_MUL,
    PR_NODE_NEG
} pr_node_op;

typedef struct pr_node {
    uint32_t op;   /* pr_node_op */
    uint32_t a, b; /* COL: column, offset index; PRE: index; CONST: value; NEG: a alone */
} pr_node;

typedef struct pr_air_preprocessed {
    char *id;
    uint32_t log_size;
    pr_m31 *values; /* [1 << log_size], row order; may be NULL */
} pr_air_preprocessed;

typedef struct pr_air_relation {
    char *name;
    uint32_t size;
} pr_air_relation;

typedef struct pr_air_column {
    uint32_t n_offsets;
    int32_t offsets[PR_AIR_MAX_OFFSETS];
} pr_air_column;

typedef struct pr_air_constraint {
    uint32_t node;
    char *name; /* may be NULL */
} pr_air_constraint;

typedef struct pr_air_lookup {
    uint32_t relation, multiplicity; /* relation index; node */
    uint32_t n_values;
    uint32_t *values; /* nodes, n_values <= the relation's size */
    uint32_t batch;
} pr_air_lookup;

typedef struct pr_air_component {
    char *name;
    uint32_t log_size; /* log2 of rows; log_degree_bound is log_size + 1 */
    uint32_t n_columns, n_nodes, n_constraints, n_lookups, n_batches;
    /* So many of its last columns follow from those before them: a constraint says "column - x" of each, where x reads
     * given columns, preprocessed ones, and other derived columns of the same row, but not in a circle. So whoever has
     * the given ones can compute the others. Advice for the prover: nothing that is proven, and not in the digest. 0:
     * none is given. */
    uint32_t n_derived;
    pr_air_column *columns;
    pr_node *nodes;
    pr_air_constraint *constraints;
    pr_air_lookup *lookups;
} pr_air_component;

typedef struct pr_air {
    char *name;
    uint32_t n_preprocessed, n_relations, n_components;
    pr_air_preprocessed *preprocessed;
    pr_air_relation *relations;
    pr_air_component *components;
} pr_air;

void pr_air_destroy(pr_air *air);

/* Every refusal of an AIR (protocol.md section 15, air-format.md): degrees, offsets, sizes, references. The error names
 * the component, constraint or column and says what to do. Builder and import call it; whoever makes a pr_air by hand
 * must. */
PR_MUST_CHECK pr_status pr_air_validate(const pr_air *air, pr_error *err);

/* What a refusal is about, in the words of air-format.md. */
typedef struct pr_air_place {
    uint32_t component; /* PR_AIR_NO_PLACE: of the AIR itself */
    const char *part;   /* "preprocessed", "relations"; "columns", "nodes", ...; NULL: none of them */
    uint32_t index;     /* in that part; PR_AIR_NO_PLACE: all of it */
} pr_air_place;
#define PR_AIR_NO_PLACE UINT32_MAX
/* The same; place is set when it refuses. */
PR_MUST_CHECK pr_status pr_air_validate_at(pr_air_place *place, const pr_air *air, pr_error *err);

/* Digest over the canonical binary form (docs/statement.md): names, sizes, columns, nodes, constraints, lookups,
 * relations, preprocessed ids, sizes and values. Constraint names are left out. */
pr_hash pr_air_digest(const pr_air *air);

/* true when some component has a PRE node for this preprocessed column */
bool pr_air_reads_preprocessed(const pr_air *air, uint32_t index);
/* Derived columns of all components. */
uint32_t pr_air_count_derived(const pr_air *air);
#endif
