/* The backends that tests run on: those of the processor, and of CUDA what this build has. */
#ifndef TESTS_BACKENDS_H
#define TESTS_BACKENDS_H
#include "cpu/cpu_backend.h"
#ifdef PR_HAVE_CUDA_EMU
#include "cuda/cuda_backend.h"
#endif

#define PR_TEST_CPU_BACKENDS &pr_backend_scalar, &pr_backend_avx2, &pr_backend_avx512, &pr_backend_poison
#if defined(PR_HAVE_CUDA) && defined(PR_HAVE_CUDA_EMU)
#define PR_TEST_CUDA_BACKENDS &pr_backend_cuda_emu, &pr_backend_cuda
#elif defined(PR_HAVE_CUDA_EMU)
#define PR_TEST_CUDA_BACKENDS &pr_backend_cuda_emu
#endif
#ifdef PR_TEST_CUDA_BACKENDS
#define PR_TEST_BACKENDS PR_TEST_CPU_BACKENDS, PR_TEST_CUDA_BACKENDS
#else
#define PR_TEST_BACKENDS PR_TEST_CPU_BACKENDS
#endif
#endif
