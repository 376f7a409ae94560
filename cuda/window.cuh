/* Far columns: they lie on the host, in pinned memory, and an operation brings what it needs of them through a window
 * behind the near part of the arena. Steps along columns (transforms, samples) bring whole columns, a few at a time;
 * steps along rows (leaves, constraints, fractions, quotients) bring the same rows of all columns, a block of rows at a
 * time. Everything goes through the device's one stream, so the window is used again without waiting. */
#ifndef PR_CUDA_WINDOW_CUH
#define PR_CUDA_WINDOW_CUH
#include "cuda/device.cuh"

namespace PR_GPU {

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
constexpr uint32_t log_least_rows = 5; /* of a block of rows, where columns have more */
#else
constexpr uint32_t log_least_rows = 8;
#endif

inline bool is_far(const device *dev, pr_col col) { return dev->far_words && col.offset >= dev->near_words; }
/* Whether these columns are far; either all are or none. */
bool are_far(const device *dev, const pr_col *cols, size_t n);
/* Where a far column lies. Wait for the stream before the host reads or writes it. */
inline uint32_t *far_column(const device *dev, pr_col col) { return dev->far + (col.offset - dev->near_words); }
inline size_t room_of(uint32_t log_rows) { return log_rows < 4 ? 16 : (size_t)1 << log_rows; } /* words in the window */

/* What of the window is in use. Columns in it are columns of the arena to kernels. */
class window {
    device *dev_;
    size_t used_ = 0, n_pieces_ = 0;

  public:
    explicit window(device *dev) : dev_(dev) {}
    void clear() { used_ = n_pieces_ = 0; }
    bool has_room(size_t n_words) const { return used_ + n_words <= dev_->window_words; }
    pr_col take(uint32_t log_rows);
    pr_status bring(pr_col to, const uint32_t *from, pr_error *err);
    pr_status send_back(uint32_t *to, pr_col from, pr_error *err);
    /* Rows first .. first + 2^log_rows - 1 of a far column, as a column; those that are there already are found. A near
     * column is itself, whole: kernels take the low bits of a slot, which are all of them then. */
    pr_status piece(pr_col *out, pr_col col, size_t first, uint32_t log_rows, pr_error *err);
    /* The rows of col that rows first .. first + 2^log_rows - 1 of its lift to 2^log_lifted rows read. */
    pr_status lifted_piece(pr_col *out, pr_col col, uint32_t log_lifted, size_t first, uint32_t log_rows,
                           pr_error *err);
};

/* log2 of the rows of a block, so that n_pieces of them fit the window; log_all for near columns (far: false). */
uint32_t block_log_rows(const device *dev, bool far, size_t n_pieces, uint32_t log_all);

size_t min_window_words(const pr_device_needs *needs);
size_t max_pieces(const pr_device_needs *needs);

/* transform() and sample() of whole far columns. */
pr_status transform_through_window(device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n,
                                   unsigned log_parts, pr_error *err);
pr_status rows_through_window(device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err);

} // namespace PR_GPU
#endif
