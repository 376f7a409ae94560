/* Times of the device from events, and the rate at which it copies (pr_meter). */
#ifndef PR_CUDA_METER_CUH
#define PR_CUDA_METER_CUH
#include "cuda/device.cuh"

namespace PR_GPU {

extern const pr_meter meter;
void close_meter(device *dev);

} // namespace PR_GPU
#endif
