// Not all lanes of each kernel come to the same barrier or the same operation of their simdgroup.
#include <metal_stdlib>

using namespace metal;

kernel void barrier_for_some(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i < 40) threadgroup_barrier(mem_flags::mem_threadgroup);  // wrong
  y[i] = 1.0f;
}

kernel void leaves_before_the_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i == 5) return;
  y[i] = 1.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // wrong
}

kernel void different_operations(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float value = 0.0f;
  if (i % 2)
    value = simd_sum(1.0f);  // wrong
  else
    value = simd_max(2.0f);  // wrong
  y[i] = value;
}

kernel void barrier_against_shuffle(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float value = 0.0f;
  if (i < 8)
    threadgroup_barrier(mem_flags::mem_threadgroup);  // wrong
  else
    value = simd_shuffle_xor(1.0f, ushort(1));  // wrong
  y[i] = value;
}

kernel void rounds_that_differ(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  for (uint round = 0; round < 1 + i % 3; ++round)
    threadgroup_barrier(mem_flags::mem_threadgroup);  // wrong
  y[i] = 1.0f;
}

kernel void sums_for_some(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = 1.0f;
  if (i % 32 < 20) y[i] = simd_sum(1.0f);  // wrong
  simdgroup_barrier(mem_flags::mem_none);  // wrong
}

kernel void a_tail_that_does_not_wait(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = 1.0f;
  if (i >= 50) return;
  threadgroup_barrier(mem_flags::mem_threadgroup);  // wrong
  y[i] = shared[63 - i];
}
