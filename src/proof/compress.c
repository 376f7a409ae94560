#include "proof/internal.h"

#include <stdlib.h>
#include <zstd.h>

pr_status pr_proof_compress(pr_writer *out, const void *encoded, size_t size, pr_error *err) {
    size_t capacity = ZSTD_compressBound(size), n = 0;
    void *buffer = malloc(capacity);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    bool ok = buffer && context && !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) &&
              !ZSTD_isError(n = ZSTD_compress2(context, buffer, capacity, encoded, size));
    if (ok) pr_write_bytes(out, buffer, n);
    ZSTD_freeCCtx(context);
    free(buffer);
    return ok && !out->failed ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "proof: no memory to compress %zu bytes", size);
}

/* One frame that says its size, and nothing behind it. */
pr_decode_code pr_proof_decompress(pr_writer *out, const pr_layout *layout, const void *data, size_t size) {
    unsigned long long content = ZSTD_getFrameContentSize(data, size);
    if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR || content == 0 ||
        content > pr_proof_max_bytes(layout) || ZSTD_findFrameCompressedSize(data, size) != size)
        return PR_DECODE_COMPRESSION;
    void *buffer = malloc((size_t)content);
    if (!buffer) return PR_DECODE_MEMORY;
    pr_decode_code code = PR_DECODE_COMPRESSION;
    if (ZSTD_decompress(buffer, (size_t)content, data, size) == content) {
        pr_write_bytes(out, buffer, (size_t)content);
        code = out->failed ? PR_DECODE_MEMORY : PR_DECODE_OK;
    }
    free(buffer);
    return code;
}
