// Each kernel gives a wrong result where the right one is 1, in no order of lanes or in some.
#include <metal_stdlib>

using namespace metal;

kernel void reads_threadgroup_memory_never_written(device float *y [[buffer(0)]],
                                                   uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  if (i == 0) shared[0] = 1.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = shared[i];
}

kernel void expects_zeros_in_threadgroup_memory(device float *y [[buffer(0)]],
                                                uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint count[1];
  atomic_fetch_add_explicit(&count[0], 1u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = float(atomic_load_explicit(&count[0], memory_order_relaxed) / 64u);
}

kernel void shuffles_from_beyond_the_simdgroup(device float *y [[buffer(0)]],
                                               uint i [[thread_index_in_threadgroup]]) {
  y[i] = simd_shuffle_down(1.0f, ushort(1));
}

kernel void leaves_an_element_unwritten(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i != 63) y[i] = 1.0f;
}

kernel void needs_lanes_in_their_order(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint last[1];
  if (i == 0) atomic_store_explicit(&last[0], 0u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = atomic_fetch_add_explicit(&last[0], 1u, memory_order_relaxed) == i ? 1.0f : 0.0f;
}

kernel void needs_the_last_lane_to_be_last(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint last[1];
  atomic_store_explicit(&last[0], i, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = atomic_load_explicit(&last[0], memory_order_relaxed) == 63u ? 1.0f : 0.0f;
}

kernel void needs_the_first_lane_to_be_first(device float *y [[buffer(0)]],
                                             uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint ready[1];
  if (i == 0) atomic_store_explicit(&ready[0], 1u, memory_order_relaxed);
  y[i] = atomic_load_explicit(&ready[0], memory_order_relaxed) == 1u ? 1.0f : 0.0f;
}

kernel void takes_too_much_threadgroup_memory(device float *y [[buffer(0)]],
                                              uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[9000];
  shared[i] = 1.0f;
  y[i] = shared[i];
}

kernel void writes_half_of_threadgroup_memory(device float *y [[buffer(0)]],
                                              uint i [[thread_index_in_threadgroup]]) {
  threadgroup float2 shared[64];
  shared[i].x = 1.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = shared[63 - i].x + shared[63 - i].y;
}

kernel void joins_more_simdgroups_than_there_are(device float *y [[buffer(0)]],
                                                 uint i [[thread_index_in_threadgroup]],
                                                 uint simd [[simdgroup_index_in_threadgroup]]) {
  threadgroup float sums[32];
  sums[simd] = simd_sum(1.0f);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = simd_sum(sums[i % 32]) / 64.0f;
}

kernel void never_sets_its_variable(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float sum;
  if (i % 2) sum = 1.0f;
  y[i] = sum;
}

kernel void never_sets_its_array(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float own[8];
  own[i % 8] = 1.0f;
  float sum = 0.0f;
  for (uint n = 0; n < 8; ++n) sum += own[n];
  y[i] = sum;
}

kernel void asks_a_lane_that_is_not_there(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = simd_shuffle(1.0f, ushort(i % 32 + 1));
}
