/* Confidential results: what `encrypt_to` of a manifest's job does to its record before it is written.
 *
 * A verifier needs the public data, which binds the outputs, so encrypting the outputs alone would hide nothing; and
 * the proof's openings tell something of the trace. Therefore outputs and public data (together) and the proof are
 * sealed to the key (starkcurve/elgamal.h), with the job's id, statement digest and proof hash as associated data. What
 * stays readable: the row with sizes, times and digests, the parameters, the manifest. docs/security.md says what that
 * gives away. Ranks see everything: it is the files that are confidential. */
#ifndef PR_WORK_SEAL_H
#define PR_WORK_SEAL_H
#include "starkcurve/key.h"
#include "store/record.h"

/* A record without a proof loses its outputs and public data, which nobody would store. Sets row.encrypted_to; sizes in
 * the row become those of what is stored. On failure the record is as it was. */
PR_MUST_CHECK pr_status pr_work_seal(pr_record *record, const uint8_t public_key[32], pr_error *err);
/* The reverse; row.encrypted_to becomes empty. PR_ERR_REFUSED: encrypted to another key, or changed since;
 * PR_ERR_MALFORMED: no such record. The record is as it was then. */
PR_MUST_CHECK pr_status pr_work_unseal(pr_record *record, const pr_secret_key *key, pr_error *err);
#endif
