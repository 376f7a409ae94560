/* Gathering the quorum's signatures on the root of a run. A later root (a run resumed) takes the earlier one's place.
 */
#include "consensus/internal.h"
#include <stdlib.h>
#include <string.h>

static void certify(pr_consensus *c) {
    pr_validator_set signers = {{0}};
    uint64_t stake = 0;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        if (!c->peers[i].signed_batch || !pr_registry_is_active(&c->registry, i)) continue;
        pr_set_add(&signers, i);
        stake += c->registry.validators[i].stake;
    }
    if (c->batch_done || !pr_quorum_reached(stake, c->registry.active_stake)) return;
    uint8_t(*signatures)[PR_SIGNATURE_BYTES] = calloc(c->registry.n, sizeof *signatures);
    if (!signatures) return;
    for (uint32_t i = 0; i < c->registry.n; i++) memcpy(signatures[i], c->peers[i].batch_signature, PR_SIGNATURE_BYTES);
    pr_writer w;
    pr_writer_init(&w);
    pr_batch_certificate_write(&w, &c->config.terms.run, &c->batch_root, c->batch_leaves, &c->registry, &signers,
                               (const uint8_t(*)[PR_SIGNATURE_BYTES])signatures);
    free(signatures);
    c->batch_done = !w.failed;
    if (c->batch_done)
        pr_machine_emit(c, &(pr_consensus_action){
                               .kind = PR_CONSENSUS_BATCH, .hash = c->batch_root, .data = w.data, .size = w.size});
    pr_writer_clear(&w);
}

static void hold(pr_consensus *c, const pr_message *m) {
    c->peers[m->signer].signed_batch = true;
    memcpy(c->peers[m->signer].batch_signature, m->signature, PR_SIGNATURE_BYTES);
    certify(c);
}

/* Before this node knows its own root it cannot tell whose is right, so it keeps none: signers say theirs again. */
void pr_receive_batch(pr_consensus *c, const pr_message *m) {
    if (!c->has_batch || !pr_hash_equal(&m->root, &c->batch_root) || m->n_leaves != c->batch_leaves) {
        pr_machine_refuse(c, PR_REFUSED_UNKNOWN_ROUND);
        return;
    }
    hold(c, m);
}

void pr_consensus_sign_batch(pr_consensus *c, const pr_hash *root, uint64_t n_leaves) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size;
    pr_message m = {.kind = PR_MESSAGE_BATCH, .root = *root, .n_leaves = n_leaves};
    if (!pr_machine_sign(c, bytes, &size, &m)) return;
    if (!c->has_batch || !pr_hash_equal(root, &c->batch_root) || n_leaves != c->batch_leaves) {
        for (uint32_t i = 0; i < c->registry.n; i++) c->peers[i].signed_batch = false;
        c->has_batch = true;
        c->batch_done = false;
        c->batch_root = *root;
        c->batch_leaves = n_leaves;
    }
    pr_machine_broadcast(c, bytes, size);
    hold(c, &m);
}
