#include "air/security.h"
#include "air/internal.h"
#include "air/script.h"
#include <math.h>

/* log2 of the number of elements of QM31 */
static double log_field(void) { return 4 * log2((double)PR_P); }

static double at_least_one(double v) { return v < 1 ? 1 : v; }

/* Powers of the quotient coefficient: one a sample, and one more for a column of exactly two samples (section 11). */
static double quotient_terms(const pr_layout *layout) {
    double n = 0;
    for (uint32_t t = 0; t < layout->n_trees; t++) {
        const pr_layout_tree *tree = &layout->trees[t];
        n += tree->n_samples;
        for (uint32_t k = 0; k < tree->n_columns; k++) n += tree->columns[k].n_offsets == 2;
    }
    return n;
}

/* A relation of size 1 or 2 counts a fraction once: the degree in alpha of its denominator, at least 1. */
static double fraction_degree(const pr_air *air, uint32_t relation) {
    return at_least_one(air->relations[relation].size - 1.0);
}

static double lookup_degree(const pr_air *air) {
    double n = 0;
    for (uint32_t k = 0; k < air->n_components; k++)
        for (uint32_t i = 0; i < air->components[k].n_lookups; i++)
            n += ldexp(fraction_degree(air, air->components[k].lookups[i].relation), (int)air->components[k].log_size);
    return n;
}

/* degree once for sums that cancel by chance, once for denominators that vanish by chance */
static double lookup_bits(double degree) { return log_field() - log2(at_least_one(2 * degree)); }

double pr_security_lookup_bits(const pr_air *air) { return lookup_bits(lookup_degree(air)); }

static double statement_lookup_bits(const pr_layout *layout) {
    const pr_statement *st = layout->statement;
    double degree = lookup_degree(st->air);
    for (uint32_t k = 0; k < st->n_public_terms; k++) degree += fraction_degree(st->air, st->public_terms[k].relation);
    return lookup_bits(degree) + (pr_script_grind_protects_lookups(st) ? layout->interaction_pow_bits : 0);
}

/* Sum over folds of (degree of the folding curve) * (domain size), in units of the first domain's size. */
static double fold_weight(const pr_layout *layout) {
    double sum = 0;
    for (uint32_t k = 0; k < layout->n_fri_layers; k++) {
        const pr_layout_fri *f = &layout->fri[k];
        sum += (ldexp(1, (int)f->fold_step) - 1) * ldexp(1, (int)f->log_size - (int)layout->log_lifted);
    }
    return sum;
}

static double commit_bits(const pr_layout *layout) {
    double weight = at_least_one(quotient_terms(layout) - 1) + fold_weight(layout);
    return log_field() - layout->log_lifted - log2(weight);
}

static double unique_query_bits(const pr_config *c) {
    return c->n_queries * log2(2 / (1 + ldexp(1, -(int)c->log_blowup))) + c->pow_bits;
}

static double batching_bits(const pr_layout *layout) {
    return log_field() - log2(at_least_one(layout->n_constraints - 1.0));
}

static double out_of_domain_bits(const pr_layout *layout) { return log_field() - layout->log_base - log2(3); }

/* The list decoding bound for one m: the least of queries, commit phase and the identities, which here must hold for
 * every member of a list of (m + 1/2) / sqrt(rho) words. */
static double list_bits_at(const pr_layout *layout, double m) {
    const pr_config *c = &layout->statement->config;
    double log_rho = -(double)c->log_blowup, log_n = layout->log_lifted;
    double log_list = log2(m + 0.5) - log_rho / 2;
    double queries = -(double)c->n_queries * (log_rho / 2 + log2(1 + 1 / (2 * m))) + c->pow_bits;
    double batching = log_field() - (7 * log2(m + 0.5) + 2 * log_n - 1.5 * log_rho - 1) -
                      log2(at_least_one(quotient_terms(layout) - 1));
    double folding = log_field() - (log2(2 * m + 1) + log2(ldexp(1, (int)layout->log_lifted) + 1) - log_rho / 2) -
                     log2(fold_weight(layout));
    double identities = fmin(batching_bits(layout), out_of_domain_bits(layout));
    if (layout->statement->air->n_relations) identities = fmin(identities, statement_lookup_bits(layout));
    return fmin(fmin(queries, batching), fmin(folding, identities - log_list));
}

static double list_bits(const pr_layout *layout) {
    double best = 0;
    for (double m = 3; m < 4096; m = ceil(m * 1.1)) best = fmax(best, list_bits_at(layout, m));
    return best;
}

void pr_security_terms(pr_security_term out[PR_TERM_COUNT], const pr_layout *layout) {
    const pr_config *c = &layout->statement->config;
    bool has_lookups = layout->statement->air->n_relations > 0;
    out[PR_TERM_QUERIES_CONJECTURED] =
        (pr_security_term){"queries, up-to-capacity conjecture", "b * n_queries + pow_bits", PR_SECURITY_CONJECTURED,
                           true, (double)c->log_blowup * c->n_queries + c->pow_bits};
    out[PR_TERM_QUERIES_UNIQUE] =
        (pr_security_term){"queries, unique decoding", "n_queries * log2(2 / (1 + 2^-b)) + pow_bits",
                           PR_SECURITY_PROVEN, true, unique_query_bits(c)};
    out[PR_TERM_COMMIT_UNIQUE] = (pr_security_term){"commit phase, unique decoding",
                                                    "log2 |F| - L - log2(quotient terms - 1 + weight of the folds)",
                                                    PR_SECURITY_PROVEN, true, commit_bits(layout)};
    out[PR_TERM_CONSTRAINT_BATCHING] = (pr_security_term){"constraint batching", "log2 |F| - log2(constraints - 1)",
                                                          PR_SECURITY_FIELD, true, batching_bits(layout)};
    out[PR_TERM_OUT_OF_DOMAIN] = (pr_security_term){"out-of-domain sampling", "log2 |F| - M - log2 3",
                                                    PR_SECURITY_FIELD, true, out_of_domain_bits(layout)};
    out[PR_TERM_LOOKUPS] = (pr_security_term){
        "lookups", "log2 |F| - log2(2 * sum over fractions of max(1, size - 1)) + interaction_pow_bits",
        PR_SECURITY_FIELD, has_lookups, has_lookups ? statement_lookup_bits(layout) : log_field()};
    out[PR_TERM_QUOTIENT_BATCHING] =
        (pr_security_term){"quotient batching", "log2 |F| - log2(quotient terms - 1)", PR_SECURITY_FIELD, true,
                           log_field() - log2(at_least_one(quotient_terms(layout) - 1))};
    out[PR_TERM_LIST_DECODING] =
        (pr_security_term){"list decoding up to the Johnson radius", "best m of docs/security.md", PR_SECURITY_LIST,
                           true, list_bits(layout)};
}

pr_security pr_security_of(const pr_layout *layout) {
    pr_security_term terms[PR_TERM_COUNT];
    pr_security s = {0};
    pr_security_terms(terms, layout);
    s.conjectured_bits = terms[PR_TERM_QUERIES_CONJECTURED].bits;
    s.commit_bits = terms[PR_TERM_COMMIT_UNIQUE].bits;
    s.field_bits = log_field();
    for (int k = 0; k < PR_TERM_COUNT; k++)
        if (terms[k].kind == PR_SECURITY_FIELD && terms[k].applies) s.field_bits = fmin(s.field_bits, terms[k].bits);
    s.proven_bits = fmin(fmin(terms[PR_TERM_QUERIES_UNIQUE].bits, s.commit_bits), s.field_bits);
    s.list_bits = fmin(terms[PR_TERM_LIST_DECODING].bits, s.field_bits);
    s.reported_bits = fmin(s.conjectured_bits, s.field_bits);
    s.insecure = s.reported_bits < PR_SECURITY_MIN_BITS;
    return s;
}

static const char *kind_name(pr_security_kind kind) {
    static const char *const names[] = {"conjectured", "proven", "field", "list"};
    return names[kind];
}

void pr_security_write(pr_writer *out, const pr_layout *layout) {
    pr_security_term terms[PR_TERM_COUNT];
    pr_security s = pr_security_of(layout);
    pr_security_terms(terms, layout);
    pr_write_format(out,
                    "%.1f bits reported (conjectured, field terms included)%s; %.1f bits proven in unique decoding\n",
                    s.reported_bits, s.insecure ? ": insecure parameters" : "", s.proven_bits);
    for (int k = 0; k < PR_TERM_COUNT; k++)
        if (terms[k].applies)
            pr_write_format(out, "  %-12s%6.1f  %s: %s\n", kind_name(terms[k].kind), terms[k].bits, terms[k].name,
                            terms[k].formula);
}
