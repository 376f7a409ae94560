#include "cluster/roster.h"
#include "cluster/lots.h"
#include "cluster/votelog.h"
#include "base/log.h"
#include "consensus/consensus.h"
#include "manifest/stakes.h"
#include "starkcurve/key_file.h"
#include "starkcurve/passphrase.h"
#include "store/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_AWAY_SETS 63

static uint32_t find(const pr_roster *r, const uint8_t key[32]) {
    for (uint32_t i = 0; i < r->n; i++)
        if (memcmp(r->validators[i].public_key, key, 32) == 0) return i;
    return r->n;
}

static pr_status add(pr_roster *r, const uint8_t key[32], uint64_t stake, int32_t rank, pr_error *err) {
    uint32_t i = find(r, key);
    if (i == r->n) {
        pr_wire_validator *grown = realloc(r->validators, (r->n + 1) * sizeof *grown);
        if (!grown) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", r->n + 1);
        r->validators = grown;
        memcpy(grown[i].public_key, key, 32);
        grown[i].stake = stake;
        grown[i].rank = -1;
        grown[i].away = 0;
        r->n++;
    }
    if (rank >= 0) r->validators[i].rank = rank;
    return PR_OK;
}

/* ---- those of earlier sessions ---- */

static pr_status see_away(pr_roster *r, pr_reader *in, pr_error *err) {
    uint32_t i = pr_read_u32(in);
    uint64_t sets = pr_read_u64(in);
    if (!pr_reader_done(in) || i >= r->n) return pr_fail(err, PR_ERR_MALFORMED, "who was away does not decode");
    r->validators[i].away |= sets;
    return PR_OK;
}

static pr_status see(void *context, const pr_frame *f, pr_error *err) {
    pr_reader in;
    uint8_t key[32];
    int kind = pr_consensus_record_kind(f->payload, f->size);
    if (kind != PR_CONSENSUS_RECORD_VALIDATOR && kind != PR_CONSENSUS_RECORD_AWAY) return PR_OK;
    pr_reader_init(&in, f->payload + 1, f->size - 1);
    if (kind == PR_CONSENSUS_RECORD_AWAY) return see_away(context, &in, err);
    pr_read_bytes(&in, key, sizeof key);
    uint64_t stake = pr_read_u64(&in);
    return pr_reader_done(&in) ? add(context, key, stake, -1, err)
                               : pr_fail(err, PR_ERR_MALFORMED, "a validator that does not decode");
}

static pr_status read_earlier(pr_roster *r, pr_error *err) {
    char path[1200];
    pr_scan scan = {.visit = see, .context = r};
    snprintf(path, sizeof path, "%s/0.journal", r->folder);
    return access(path, F_OK) == 0 ? pr_journal_scan(&scan, path, err) : PR_OK;
}

/* Whether those of the set are those who are away now. */
static bool is_away_set(const pr_roster *r, unsigned set) {
    bool same = true;
    for (uint32_t i = 0; i < r->n; i++) same &= (r->validators[i].rank < 0) == (r->validators[i].away >> set & 1);
    return same;
}

/* Sessions without the same validators share a number. */
static pr_status number_away(pr_roster *r, pr_error *err) {
    uint64_t used = 1;
    unsigned set = 0;
    for (uint32_t i = 0; i < r->n; i++) used |= r->validators[i].away;
    while (set <= MAX_AWAY_SETS && (used >> set & 1) && !is_away_set(r, set)) set++;
    if (set > MAX_AWAY_SETS)
        return pr_fail(err, PR_ERR_REFUSED, "ranks were away in %d different ways in this run: start it with all",
                       MAX_AWAY_SETS);
    for (uint32_t i = 0; i < r->n; i++)
        if (r->validators[i].rank < 0) r->validators[i].away |= (uint64_t)1 << set;
    return PR_OK;
}

/* ---- lots ---- */

pr_hash pr_roster_sealed_lots(const pr_roll *roll) {
    pr_hash none = {{0}};
    pr_writer w;
    pr_writer_init(&w);
    for (unsigned i = 0; i < roll->n; i++) pr_write_bytes(&w, roll->members[i].hello.sealed_lot.bytes, sizeof none);
    pr_hash sealed = w.failed ? none : pr_lots_seal(w.data, roll->n);
    pr_writer_clear(&w);
    return sealed;
}

static pr_status list_lots(pr_roster *r, const pr_roll *roll, pr_error *err) {
    r->n_lots = roll->n;
    for (unsigned i = 0; i < roll->n; i++) {
        pr_write_bytes(&r->seals, roll->members[i].hello.sealed_lot.bytes, sizeof(pr_hash));
        pr_write_bytes(&r->lots, roll->members[i].lot.bytes, sizeof(pr_hash));
    }
    return r->seals.failed || r->lots.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for %u lots", roll->n)
                                             : PR_OK;
}

/* ---- stakes ---- */

static pr_status give_stake(pr_roster *r, uint32_t i, uint64_t stake, const char *file, uint32_t line, pr_error *err) {
    pr_wire_validator *v = &r->validators[i];
    if (i >= r->n_earlier) {
        v->stake = stake;
        return PR_OK;
    }
    if (v->stake == stake) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, line, 1,
                      "stake %llu, but validator %u has %llu since it joined the run; allowed: stakes as they were",
                      (unsigned long long)stake, i, (unsigned long long)v->stake);
}

/* r->n: nobody. */
static uint32_t find_staked(const pr_roster *r, const pr_stake *s) {
    uint32_t i = s->rank < 0 ? find(r, s->public_key) : 0;
    while (s->rank >= 0 && i < r->n && r->validators[i].rank != s->rank) i++;
    return i;
}

static pr_status give_stakes(pr_roster *r, const pr_stakes *stakes, const char *file, pr_error *err) {
    uint32_t n = 0;
    pr_validator_set named = {{0}};
    for (uint32_t k = 0; k < stakes->n; k++) {
        const pr_stake *s = &stakes->items[k];
        uint32_t i = find_staked(r, s);
        if (i == r->n && s->rank >= 0 && r->n_earlier > 0) { /* whoever it was has the stake that it had */
            pr_log(PR_LOG_WARN, "consensus", "%s:%u: rank %d is not in this session: its stake is not looked at", file,
                   s->line, s->rank);
            continue;
        }
        if (i == r->n)
            return pr_fail_at(err, PR_ERR_USAGE, file, s->line, 1,
                              "no validator of this run; allowed: rank-0 to rank-N, and keys of the run's ranks");
        if (pr_set_has(&named, i))
            return pr_fail_at(err, PR_ERR_USAGE, file, s->line, 1, "validator %u (rank %d) has a line already", i,
                              r->validators[i].rank);
        pr_set_add(&named, i);
        PR_TRY(give_stake(r, i, s->stake, file, s->line, err));
    }
    while (n < r->n && (pr_set_has(&named, n) || n < r->n_earlier)) n++;
    if (n == r->n) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "%s: no stake for rank %d; allowed: a line for each validator", file,
                   r->validators[n].rank);
}

/* Without a file everybody has 1, and so must those of earlier sessions. */
static pr_status take_stakes(pr_roster *r, const pr_leader *l, pr_error *err) {
    const pr_votes_config *c = l->o->votes;
    pr_stakes stakes;
    if (r->n > PR_VALIDATORS_MAX)
        return pr_fail(err, PR_ERR_USAGE, "%u validators: at most %u are allowed", r->n, PR_VALIDATORS_MAX);
    if (!c || !c->stake_file[0]) {
        for (uint32_t i = 0; i < r->n_earlier; i++)
            if (r->validators[i].stake != 1)
                return pr_fail(err, PR_ERR_USAGE,
                               "the run has begun with stakes from a file (validator %u has %llu): --config with that "
                               "`stake:` is needed to go on",
                               i, (unsigned long long)r->validators[i].stake);
        return PR_OK;
    }
    PR_TRY(pr_stakes_load(&stakes, c->stake_file, err));
    pr_status status = give_stakes(r, &stakes, c->stake_file, err);
    pr_stakes_clear(&stakes);
    return status;
}

static void take_terms(pr_roster *r, const pr_leader *l, const pr_run_file *f) {
    const pr_votes_config defaults = pr_votes_config_defaults(), *c = l->o->votes ? l->o->votes : &defaults;
    r->votes = (pr_wire_votes){c->committee_size, c->round_timeout_ms, c->view_timeout_ms, c->retries, c->threads};
    r->resumed = f->has_terms;
    if (!f->has_terms) {
        pr_hash run = pr_run_name(f->run_id);
        r->seed = pr_lots_draw(&run, r->lots.data, r->n_lots);
        return;
    }
    r->seed = f->seed;
    if (r->votes.committee_size != f->committee_size)
        pr_log(PR_LOG_WARN, "consensus", "committees have %u members, as when the run began, not %u", f->committee_size,
               r->votes.committee_size);
    r->votes.committee_size = f->committee_size;
}

static pr_status pack(pr_roster *r, pr_error *err) {
    for (uint32_t i = 0; i < r->n; i++) pr_wire_validator_put(&r->packed, &r->validators[i]);
    return r->packed.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", r->n) : PR_OK;
}

static pr_status make(pr_roster *r, const pr_leader *l, const pr_run_file *f, pr_error *err) {
    snprintf(r->folder, sizeof r->folder, "%.*s.votes", (int)(strlen(f->path) - 3), f->path); /* without .h5 */
    PR_TRY(read_earlier(r, err));
    r->n_earlier = r->n;
    for (unsigned i = 0; i < l->roll.n; i++)
        if (l->roll.members[i].ready_run == l->n_runs)
            PR_TRY(add(r, l->roll.members[i].public_key, 1, (int32_t)i, err));
    PR_TRY(take_stakes(r, l, err));
    PR_TRY(number_away(r, err));
    PR_TRY(list_lots(r, &l->roll, err));
    take_terms(r, l, f);
    return pack(r, err);
}

pr_status pr_roster_make(pr_roster *r, const pr_leader *l, const pr_run_file *f, pr_error *err) {
    memset(r, 0, sizeof *r);
    pr_writer_init(&r->seals);
    pr_writer_init(&r->lots);
    pr_writer_init(&r->packed);
    pr_status status = make(r, l, f, err);
    if (status != PR_OK) pr_roster_clear(r);
    return status;
}

/* n records of one size. */
static pr_status write_records(const pr_roster *r, const char *run_id, const pr_writer *w, size_t n, pr_error *err) {
    char path[1200];
    if (w->failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", r->n);
    if (n == 0) return PR_OK;
    snprintf(path, sizeof path, "%s/0.journal", r->folder);
    return pr_votelog_write(path, run_id, w->data, w->size / n, n, err);
}

static pr_status record_new(const pr_roster *r, const char *run_id, pr_writer *w, pr_error *err) {
    for (uint32_t i = r->n_earlier; i < r->n; i++) {
        pr_write_u8(w, PR_CONSENSUS_RECORD_VALIDATOR);
        pr_consensus_put_validator(w, r->validators[i].public_key, r->validators[i].stake);
    }
    return write_records(r, run_id, w, r->n - r->n_earlier, err);
}

static pr_status record_away(const pr_roster *r, const char *run_id, pr_writer *w, pr_error *err) {
    size_t n = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->validators[i].rank >= 0) continue;
        pr_write_u8(w, PR_CONSENSUS_RECORD_AWAY);
        pr_consensus_put_away(w, i, r->validators[i].away);
        n++;
    }
    return write_records(r, run_id, w, n, err);
}

pr_status pr_roster_record(const pr_roster *r, const char *run_id, pr_error *err) {
    pr_writer new, away;
    pr_writer_init(&new);
    pr_writer_init(&away);
    pr_status status = record_new(r, run_id, &new, err);
    if (status == PR_OK) status = record_away(r, run_id, &away, err);
    pr_writer_clear(&new);
    pr_writer_clear(&away);
    return status;
}

void pr_roster_clear(pr_roster *r) {
    free(r->validators);
    pr_writer_clear(&r->seals);
    pr_writer_clear(&r->lots);
    pr_writer_clear(&r->packed);
    r->validators = NULL;
    r->n = 0;
}

void pr_roster_fill(const pr_roster *r, uint32_t run, pr_wire_roster *m) {
    *m = (pr_wire_roster){.run = run,
                          .folder = r->folder,
                          .resumed = r->resumed,
                          .seed = r->seed,
                          .votes = r->votes,
                          .n_lots = r->n_lots,
                          .seals = r->seals.data,
                          .lots = r->lots.data,
                          .n_validators = r->n,
                          .validators = r->packed.data};
}

pr_status pr_roster_annotate(const pr_roster *r, pr_run_file *f, pr_error *err) {
    char seed[65], size[16];
    if (f->has_terms) return PR_OK;
    pr_hex_encode(seed, r->seed.bytes, sizeof r->seed.bytes);
    snprintf(size, sizeof size, "%u", r->votes.committee_size);
    const pr_attribute all[] = {{"consensus_seed", seed}, {"consensus_committee_size", size}};
    return pr_store_annotate(f->store, all, sizeof all / sizeof all[0], err);
}

/* ---- keys ---- */

void pr_roster_key_folder(char *out, size_t size, const pr_run_file *f) {
    snprintf(out, size, "%.*skeys", (int)(pr_file_name(f->path) - f->path), f->path);
}

pr_status pr_rank_key_open(pr_secret_key **key, const pr_run_options *o, const char *folder, int rank, pr_error *err) {
    char path[1200], *passphrase;
    const pr_votes_config *c = o->votes;
    const char *source = c && c->key_passphrase_file[0] ? c->key_passphrase_file : NULL;
    if (c && c->key_folder[0]) folder = c->key_folder;
    PR_TRY(pr_file_make_folders(folder, err));
    snprintf(path, sizeof path, "%.1100s/rank-%d.key", folder, rank);
    PR_TRY(pr_passphrase_read(&passphrase, source, PR_PASSPHRASE_FILE, err));
    pr_status status = pr_key_file_open_or_create(key, NULL, path, passphrase, err);
    pr_passphrase_destroy(passphrase);
    return status;
}
