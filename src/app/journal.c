/* `proverun journal show|check`: what the journal of a run holds, and whether it is whole. */
#include "app/app.h"
#include "base/clock.h"
#include "store/state.h"
#include "store/store.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct printer {
    const char *path;
    bool json;
    uint64_t n_faults; /* torn ends not counted */
} printer;

/* Escaped, with its quotes; texts that are not UTF-8 lose what is not ASCII. */
static void print_json_text(const char *text) {
    json_t *value = json_string(text);
    char plain[256], *quoted;
    if (!value) {
        size_t n = 0;
        for (; text[n] && n + 1 < sizeof plain; n++) plain[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
        plain[n] = 0;
        value = json_string(plain);
    }
    quoted = json_dumps(value, JSON_ENCODE_ANY);
    fputs(quoted ? quoted : "\"\"", stdout);
    free(quoted);
    json_decref(value);
}

/* What a frame says, in a word or two. */
static void describe(char *out, size_t size, const pr_frame *f) {
    pr_reader r;
    pr_event_row event;
    pr_assignment_row assignment;
    pr_job_row job;
    out[0] = 0;
    pr_reader_init(&r, f->payload, f->size);
    if (f->type == PR_FRAME_RECORD) {
        pr_row_decode(&r, &pr_job_row_spec, &job);
        if (!r.failed) snprintf(out, size, "%s", pr_outcome_name(job.outcome));
    } else if (f->type == PR_FRAME_EVENT) {
        pr_row_decode(&r, &pr_event_row_spec, &event);
        if (!r.failed) snprintf(out, size, "%s: %s", pr_event_kind_name(event.kind), event.text);
    } else if (f->type == PR_FRAME_ASSIGNMENT) {
        pr_row_decode(&r, &pr_assignment_row_spec, &assignment);
        if (!r.failed) snprintf(out, size, "%s, attempt %u", pr_assigned_name(assignment.what), assignment.attempt);
    } else if (f->type == PR_FRAME_ATTRIBUTE) {
        uint64_t n = pr_read_u64(&r);
        const uint8_t *name = pr_read_borrow(&r, (size_t)n);
        if (name && n < size) snprintf(out, size, "%.*s", (int)n, (const char *)name);
    } else if (f->type == PR_FRAME_CONSENSUS) {
        pr_store_describe_consensus(out, size, f->payload, f->size);
    } else if (f->type == PR_FRAME_BATCH) {
        pr_store_describe_batch(out, size, f->payload, f->size);
    }
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
}

static pr_status print_frame(void *context, const pr_frame *f, pr_error *err) {
    const printer *p = context;
    char time[32], text[640];
    unsigned long long sequence = f->sequence, ns = f->time_ns, offset = f->offset;
    (void)err;
    pr_clock_iso8601(time, f->time_ns);
    describe(text, sizeof text, f);
    if (!p->json) {
        printf("%8llu  %s  %-13s %5d  %3u:%-10llu %9zu  %-24s %s\n", sequence, time, pr_frame_type_name(f->type),
               f->rank, f->segment, offset, f->size, f->id, text);
        return PR_OK;
    }
    printf("{\"sequence\":%llu,\"time\":\"%s\",\"time_ns\":%llu,\"type\":\"%s\",\"rank\":%d,\"segment\":%u,\"offset\":%"
           "llu,"
           "\"bytes\":%zu,\"job\":",
           sequence, time, ns, pr_frame_type_name(f->type), f->rank, f->segment, offset, f->size);
    print_json_text(f->id);
    fputs(",\"text\":", stdout);
    print_json_text(text);
    puts("}");
    return PR_OK;
}

static pr_status print_fault(void *context, const pr_fault *f, pr_error *err) {
    printer *p = context;
    char line[4600];
    (void)err;
    p->n_faults += f->kind != PR_FAULT_TORN;
    pr_fault_describe(line, sizeof line, p->path, f);
    if (!p->json) {
        printf("%s\n", line);
        return PR_OK;
    }
    printf("{\"fault\":\"%s\",\"segment\":%u,\"offset\":%llu,\"bytes\":%llu,\"first\":%llu,\"frames\":%llu,\"job\":",
           pr_fault_kind_name(f->kind), f->segment, (unsigned long long)f->offset, (unsigned long long)f->bytes,
           (unsigned long long)f->first, (unsigned long long)f->n);
    print_json_text(f->id);
    fputs(",\"text\":", stdout);
    print_json_text(line);
    puts("}");
    return PR_OK;
}

static int show(printer *p) {
    pr_error err = {0};
    pr_scan scan = {.visit = print_frame, .fault = print_fault, .context = p};
    if (!p->json)
        printf("%8s  %-30s  %-13s %5s  %-14s %9s  %-24s\n", "sequence", "time", "type", "rank", "place", "bytes",
               "job");
    if (pr_journal_scan(&scan, p->path, &err) != PR_OK) return pr_app_fail(&err);
    return p->n_faults > 0;
}

/* Jobs whose end no frame tells, when frames are lost of which nothing is known. */
static void print_suspects(const pr_run_state *s, const printer *p) {
    bool unknown = false;
    for (size_t i = 0; i < s->n_faults; i++) unknown |= s->faults[i].kind != PR_FAULT_TORN && !s->faults[i].type;
    for (size_t i = 0; unknown && i < s->n_job_views; i++) {
        if (s->jobs[i].outcome != PR_OUTCOME_NONE) continue;
        if (p->json) {
            fputs("{\"suspect\":", stdout);
            print_json_text(s->jobs[i].id);
            puts("}");
        } else {
            printf("job %s was handed out and has no record: it may be among what is lost\n", s->jobs[i].id);
        }
    }
}

static int check(printer *p) {
    pr_error err = {0};
    pr_run_state *s;
    if (pr_run_state_load(&s, p->path, &err) != PR_OK) return pr_app_fail(&err);
    for (size_t i = 0; i < s->n_faults; i++)
        if (print_fault(p, &s->faults[i], &err) != PR_OK) break;
    print_suspects(s, p);
    bool damaged = p->n_faults || s->n_undecoded;
    unsigned long long frames = s->n_frames, bytes = s->bytes, bad = s->n_undecoded;
    if (p->json)
        printf("{\"frames\":%llu,\"undecodable\":%llu,\"segments\":%u,\"bytes\":%llu,\"damaged\":%s}\n", frames, bad,
               s->n_segments, bytes, damaged ? "true" : "false");
    else
        printf("%s: %llu good frames in %u segments of %llu bytes; %s\n", p->path, frames, s->n_segments, bytes,
               damaged ? "damaged: `proverun repair` saves what can be read" : "all is well");
    if (bad && !p->json) printf("%llu of them do not decode\n", bad);
    pr_run_state_free(s);
    return damaged;
}

int pr_app_journal(int argc, char **argv) {
    static const struct option options[] = {{"json", 0, 0, 'j'}, {0, 0, 0, 0}};
    printer p = {0};
    char path[4096], file[4096];
    pr_error err = {0};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, &err)) != -1) {
        if (c != 'j') return pr_app_fail(&err);
        p.json = true;
    }
    const char *verb = argc - optind == 2 ? argv[optind] : "";
    if (strcmp(verb, "show") && strcmp(verb, "check")) {
        (void)pr_fail(&err, PR_ERR_USAGE, "journal needs `show` or `check` and a RUN.journal or RESULTS.h5");
        return pr_app_fail(&err);
    }
    if (pr_store_follow_link(file, sizeof file, argv[optind + 1], &err) != PR_OK) return pr_app_fail(&err);
    snprintf(path, sizeof path, "%s", file);
    size_t n = strlen(path);
    if (n > 3 && !strcmp(path + n - 3, ".h5") && pr_store_journal_path(path, sizeof path, file, &err) != PR_OK)
        return pr_app_fail(&err);
    p.path = path;
    return pr_app_flush(strcmp(verb, "show") ? check(&p) : show(&p));
}
