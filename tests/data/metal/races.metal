// Two lanes of each kernel touch the same memory in no order, in a line that says so.
#include <metal_stdlib>

using namespace metal;

kernel void lacks_a_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                            uint n [[threads_per_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);          // wrong
  y[i] = shared[n - 1 - i];      // wrong
}

kernel void lacks_the_second_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                                     uint n [[threads_per_threadgroup]]) {
  threadgroup float shared[64];
  float sum = 0.0f;
  for (uint round = 0; round < 2; ++round) {
    shared[i] = float(i + round);  // wrong
    threadgroup_barrier(mem_flags::mem_threadgroup);
    sum += shared[n - 1 - i];      // wrong
  }
  y[i] = sum;
}

kernel void lacks_a_simdgroup_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);   // wrong
  y[i] = shared[i ^ 1u];  // wrong
}

kernel void counts_without_atomics(device uint *y [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  y[i % 4] += 1u;  // wrong
}

kernel void takes_a_shuffle_for_a_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);  // wrong
  const float other = simd_shuffle_xor(float(i), ushort(1));
  y[i] = shared[i ^ 1u] + other;  // wrong
}

kernel void looks_at_another_threadgroup(device float *y [[buffer(0)]],
                                         uint g [[threadgroup_position_in_grid]],
                                         uint n [[threadgroups_per_grid]]) {
  y[g] = 1.0f;                  // wrong
  y[(g + 1) % n] += 1.0f;       // wrong
}
