#include "cuda/compose.cuh"
#include "cuda/draw.cuh"
#include "cuda/program.cuh"

namespace PR_GPU {

struct compose_component {
    program_code code;
    span<const pr_col> interaction;     /* [4 * n_batches] */
    span<const program_input> previous; /* [4]: of the last batch, a row before */
    span<const pr_qm31> powers;         /* [n_constraints + n_batches] */
    span<const pr_qm31> shift;          /* one */
    uint32_t n_constraints, n_batches;
};
struct compose_view {
    program_range range;
    span<const compose_component> components;
    secure_column out;
    uint32_t n_components, accumulate;
    pr_m31 inverse[2]; /* of the vanishing polynomial, which takes two values on these rows, one on each half */
};

template <unsigned ROWS>
PR_DEVICE secure_rows<ROWS> ld_interaction(const compose_view &v, const compose_component &component, uint32_t batch,
                                           const program_rows<ROWS> &rows) {
    secure_rows<ROWS> out;
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) {
        const row_values<ROWS> value = ld_column(v.range.arena, ld(component.interaction, 4 * batch + c), rows);
        PR_EACH_ROW out.v[r].c[c] = value.v[r];
    }
    return out;
}
template <unsigned ROWS>
PR_DEVICE secure_rows<ROWS> ld_previous(const compose_view &v, const compose_component &component,
                                        const program_rows<ROWS> &rows) {
    secure_rows<ROWS> out;
#pragma unroll
    for (uint32_t c = 0; c < 4; c++) {
        const row_values<ROWS> value = ld_input(v.range, component.previous, c, rows);
        PR_EACH_ROW out.v[r].c[c] = value.v[r];
    }
    return out;
}

/* Sums over constraints and batches of power * value. */
template <unsigned ROWS> struct row_sums {
    const compose_view &v;
    const compose_component component;
    const program_rows<ROWS> &rows;
    product_sum *constraints;
    pr_qm31 *batches;

    PR_DEVICE_METHOD void add(uint32_t constraint, bool folds, const row_values<ROWS> &values) {
        add_products(constraints, folds, values, ld16(component.powers, constraint));
    }
    /* (difference of running totals) * den - num: protocol.md section 9. */
    PR_DEVICE_METHOD void close(uint32_t batch) {
        secure_rows<ROWS> step = ld_interaction(v, component, batch, rows);
        if (batch + 1 == component.n_batches) {
            const secure_rows<ROWS> previous = ld_previous(v, component, rows);
            const pr_qm31 shift = ld16(component.shift, 0);
            PR_EACH_ROW step.v[r] = pr_qm31_add(pr_qm31_sub(step.v[r], previous.v[r]), shift);
        }
        if (batch) {
            const secure_rows<ROWS> before = ld_interaction(v, component, batch - 1, rows);
            PR_EACH_ROW step.v[r] = pr_qm31_sub(step.v[r], before.v[r]);
        }
        const pr_qm31 power = ld16(component.powers, component.n_constraints + batch);
        PR_EACH_ROW {
            const pr_qm31 value = pr_qm31_sub(pr_qm31_mul(step.v[r], rows.den[r]), rows.num[r]);
            batches[r] = pr_qm31_add(batches[r], pr_qm31_mul(power, value));
        }
    }
};

template <unsigned ROWS>
PR_DEVICE void store_sums(const compose_view &v, const program_rows<ROWS> &rows, const pr_qm31 *sums) {
    const uint32_t mask = (2u << v.range.log_rows) - 1;
#pragma unroll
    for (unsigned c = 0; c < 4; c++) {
        row_values<ROWS> out, held = {}; /* threads without a row stay away from the first one's: it is written */
        PR_EACH_ROW out.v[r] = pr_m31_mul(sums[r].c[c], rows.slot[r] >> v.range.log_rows ? v.inverse[1] : v.inverse[0]);
        if (v.accumulate) {
            if constexpr (ROWS == 4) {
                if (rows.is_active[0]) held = ld_four<ROWS>(v.out.c[c], rows.slot[0]);
            } else {
                PR_EACH_ROW if (rows.is_active[r]) held.v[r] = ld(v.out.c[c], rows.slot[r]);
            }
            PR_EACH_ROW out.v[r] = pr_m31_add(out.v[r], held.v[r]);
        }
        st_column(v.out.c[c], mask, rows, out);
    }
}

/* The components one after another; LOOKUPS: some have them. */
template <unsigned ROWS, bool SPILLS, bool LOOKUPS>
__global__ void __launch_bounds__(128) compose_kernel(compose_view v) {
    const words slots = program_slots<SPILLS>(v.range);
    product_sum constraints[ROWS] = {};
    pr_qm31 batches[ROWS] = {};
    program_rows<ROWS> rows = begin_rows<ROWS>(v.range);
    for (uint32_t k = 0; k < v.n_components; k++) {
        row_sums<ROWS> sums = {v, ld(v.components, k), rows, constraints, batches};
        run_program<ROWS, LOOKUPS>(v.range, sums.component.code, slots, &rows, &sums);
    }
    PR_EACH_ROW batches[r] = LOOKUPS ? pr_qm31_add(reduce(constraints[r]), batches[r]) : reduce(constraints[r]);
    store_sums(v, rows, batches);
}

/* ---- on the host ---- */

typedef void (*compose_launcher)(compose_view);
/* Fractions of four rows would need more registers than there are. */
constexpr unsigned most_rows_with_lookups = 2;
static compose_launcher kernel_of(const program_shape &shape) {
    if (shape.spills) return compose_kernel<2, true, true>;
    return shape.rows == 4 ? compose_kernel<4, false, false> : compose_kernel<2, false, true>;
}

static pr_status launch_compose(device *dev, compose_view v, const program_shape &shape, size_t n_loads,
                                pr_error *err) {
    const compose_launcher kernel = kernel_of(shape);
    const auto launch = [&](const program_range &part) {
        v.range = part;
        count_moved(dev, shape.rows_read(part.n_rows) * n_loads + part.n_rows * (size_t)(v.accumulate ? 8 : 4));
        return check(PR_LAUNCH(kernel, shape.blocks(part.n_rows), shape.threads, shape.shared_bytes(), dev->stream, v),
                     "constraints", err);
    };
    return launch_parts(kernel, shape, v.range, launch, err);
}

static program_tables tables_of(const pr_compose *args) {
    return program_tables_of(args->program, args->inputs, args->z, args->alpha, args->log_rows, 1);
}
static size_t table_bytes(const program_tables &t) {
    const size_t n_batches = t.program->n_batches;
    return program_table_bytes(t) + table_size<pr_col>(4 * n_batches) + table_size<program_input>(4) +
           table_size<pr_qm31>(t.program->n_constraints + n_batches) + table_size<pr_qm31>(1) +
           table_size<compose_component>(1);
}

/* Columns that the rows read, beside the program's inputs. */
static pr_status put_interaction(compose_component *component, device *dev, table_writer *w, window *in,
                                 const program_tables &t, const pr_compose *args, size_t first, uint32_t log_rows,
                                 pr_error *err) {
    const uint32_t n = 4 * args->program->n_batches;
    pr_col *columns;
    program_input *previous;
    component->interaction = w->take(&columns, n);
    component->previous = w->take(&previous, 4);
    for (uint32_t k = 0; k < n; k++) PR_TRY(in->piece(&columns[k], args->interaction[k], first, log_rows, err));
    for (uint32_t k = 0; n && k < 4; k++)
        PR_TRY(moved_input(&previous[k], dev, in, t, args->interaction[n - 4 + k], -1, first, log_rows, err));
    return PR_OK;
}

static pr_status put_component(compose_component *component, device *dev, table_writer *w, window *in,
                               const pr_compose *args, size_t first, uint32_t log_rows, pr_error *err) {
    const pr_program *p = args->program;
    const program_tables t = tables_of(args);
    const size_t n_powers = (size_t)p->n_constraints + p->n_batches;
    *component = compose_component{};
    PR_TRY(put_program(&component->code, dev, w, in, t, first, log_rows, err));
    PR_TRY(put_interaction(component, dev, w, in, t, args, first, log_rows, err));
    component->powers = args->powers ? w->put(args->powers, n_powers) : drawn_powers(dev, args->first_power, n_powers);
    component->shift = w->put(&args->shift, 1);
    component->n_constraints = p->n_constraints, component->n_batches = p->n_batches;
    return PR_OK;
}

/* What one launch computes: list[0 .. n). */
struct compose_group {
    const pr_compose *list;
    size_t n, table_bytes;
    uint32_t n_slots;
    bool has_lookups;
};

static program_shape shape_of(const device *dev, const compose_group &group, size_t n_rows) {
    return program_shape_of(dev, group.n_slots, n_rows, group.has_lookups ? most_rows_with_lookups : 4);
}

/* Rows first .. first + 2^log_rows - 1 of out. */
static pr_status compose_rows(device *dev, compose_view v, const compose_group &group, size_t first, uint32_t log_rows,
                              pr_error *err) {
    const program_shape shape = shape_of(dev, group, (size_t)1 << log_rows);
    size_t n_loads = 0;
    compose_component *components;
    window in(dev);
    table_writer w(dev);
    PR_TRY(w.begin(group.table_bytes, err));
    v.components = w.take(&components, group.n);
    v.n_components = (uint32_t)group.n;
    for (size_t k = 0; k < group.n; k++) {
        PR_TRY(put_component(&components[k], dev, &w, &in, &group.list[k], first, log_rows, err));
        n_loads += components[k].code.n_loads + 8 * (size_t)components[k].n_batches;
    }
    PR_TRY(w.send(err));
    v.range = program_range_of(dev, tables_of(group.list), shape, first, log_rows);
    return launch_compose(dev, v, shape, n_loads, err);
}

static bool is_far_component(const device *dev, const pr_compose *args) {
    const pr_program *p = args->program;
    return are_far(dev, args->inputs, p->n_inputs) || are_far(dev, args->interaction, 4 * (size_t)p->n_batches);
}

static pr_status compose_group_rows(device *dev, const compose_group &group, pr_error *err) {
    const pr_compose *args = group.list;
    const uint32_t n = args->log_rows;
    const size_t n_pieces = program_pieces(args->program) + 4 * (size_t)args->program->n_batches + 8;
    const uint32_t log_rows = block_log_rows(dev, is_far_component(dev, args), n_pieces, n + 1);
    compose_view v = {};
    PR_ASSERT(n >= 1 && args->log_blowup >= 1 && n + args->log_blowup < PR_CIRCLE_LOG_ORDER);
    v.out = secure(dev, args->out);
    v.accumulate = args->accumulate;
    for (uint32_t half = 0; half < 2; half++)
        v.inverse[half] = pr_m31_inverse(pr_vanishing(pr_domain_point(n + args->log_blowup, half << n).x, n));
    for (size_t first = 0; first < (size_t)2 << n; first += (size_t)1 << log_rows)
        PR_TRY(compose_rows(dev, v, group, first, log_rows, err));
    return PR_OK;
}

static compose_group alone(const pr_compose *args) {
    return compose_group{args, 1, table_bytes(tables_of(args)), args->program->n_slots, args->program->n_batches > 0};
}

/* Whether next may join: it adds to the same columns, its slots leave as many threads, there is room for its tables,
 * and it is not streamed, for which the window is not shared out. */
static bool joins(const device *dev, const compose_group *group, const compose_group *other) {
    const pr_compose *head = group->list, *next = other->list;
    const size_t n_rows = (size_t)2 << head->log_rows;
    return next->accumulate && next->log_rows == head->log_rows && next->log_blowup == head->log_blowup &&
           next->out[0].offset == head->out[0].offset && !is_far_component(dev, next) && !is_far_component(dev, head) &&
           group->table_bytes + other->table_bytes <= dev->tables.bytes &&
           shape_of(dev, *other, n_rows) == shape_of(dev, *group, n_rows);
}

static void join(compose_group *group, const compose_group *other) {
    group->n++;
    group->table_bytes += other->table_bytes;
    group->has_lookups |= other->has_lookups;
    if (other->n_slots > group->n_slots) group->n_slots = other->n_slots;
}

pr_status compose(device *dev, const pr_compose *list, size_t n, pr_error *err) {
    for (const pr_compose *args = list, *end = list + n; args < end;) {
        compose_group group = alone(args++);
        for (; args < end; args++) {
            const compose_group next = alone(args);
            if (!joins(dev, &group, &next)) break;
            join(&group, &next);
        }
        PR_TRY(compose_group_rows(dev, group, err));
    }
    return PR_OK;
}

} // namespace PR_GPU
