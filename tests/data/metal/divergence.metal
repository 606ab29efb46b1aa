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
