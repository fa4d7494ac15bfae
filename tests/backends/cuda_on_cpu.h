// The words of CUDA that the library's kernels use, for a C++ compiler.
#pragma once

#include <cmath>
using std::tanh;

#define __global__
#define __device__
#define __shared__
#define __launch_bounds__(...)

struct alignas(16) double2 { double x, y; };
struct Dim { unsigned x, y; };

extern "C" {
extern Dim gridDim, blockDim, blockIdx, threadIdx;
void __syncthreads();
void __threadfence();
void fall_asleep(unsigned);
#define __nanosleep fall_asleep  // the C library has one of that name
unsigned atomicAdd(unsigned*, unsigned);
}

template <typename T> T __ldcg(const T* address) { return *address; }
