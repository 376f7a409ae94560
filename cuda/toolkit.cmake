# The toolkit's compiler, where it is asked for and there: PR_CUDA_TOOLKIT. The runtime is linked statically and looks for
# the driver when it is first called, so the program runs where there is none.
find_program(PR_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin
             DOC "Compiler of the CUDA toolkit")
set(PR_CUDA_TOOLKIT OFF)
if(PR_CUDA AND PR_NVCC AND CMAKE_CXX_COMPILER)
  set(PR_CUDA_TOOLKIT ON)
elseif(PR_CUDA AND PR_NVCC)
  message(STATUS "cuda: no C++ compiler, which ${PR_NVCC} needs; only the processor backends are built")
elseif(PR_CUDA)
  message(STATUS "cuda: no nvcc in PATH, CUDA_HOME, CUDA_PATH, CUDACXX or /usr/local/cuda (say where with -DPR_NVCC=FILE): "
                 "no backend cuda in this build; the processor backends and cuda-emu are built")
endif()
