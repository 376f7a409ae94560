#include "digest_suite.h"
#include "sha256/job.h"

/* 55 bytes and their padding are one block, 1,015 sixteen: exactly full. */
static const digest_suite suite = {
    .type = &pr_job_sha256,
    .command = "sha256sum",
    .known = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
              {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},
    .sizes = {0, 1, 2, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 1015, 1016},
    .n_sizes = 15,
    .n_components = 6, /* of a file of 4 blocks */
    .max_length = 67108855,
};

int main(void) { return digest_suite_run(&suite); }
