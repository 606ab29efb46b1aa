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

kernel void halves_without_barriers(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = 1.0f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint step = 32; step > 0; step /= 2)
    if (i < step) shared[i] += shared[i + step];  // wrong
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = shared[0];
}

kernel void waits_without_ordering_memory(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);  // wrong
  threadgroup_barrier(mem_flags::mem_none);
  y[i] = shared[63 - i];  // wrong
}

kernel void orders_other_memory(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = float(i);  // wrong
  threadgroup_barrier(mem_flags::mem_threadgroup);
  const float other = y[63 - i];  // wrong
  threadgroup_barrier(mem_flags::mem_device);
  y[i] = other;
}

kernel void orders_the_buffer_alone(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);  // wrong
  threadgroup_barrier(mem_flags::mem_device);
  y[i] = shared[63 - i];  // wrong
}

kernel void takes_a_simdgroup_for_a_threadgroup(device float *y [[buffer(0)]],
                                                uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[64];
  shared[i] = float(i);  // wrong
  simdgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = shared[i ^ 32u];  // wrong
}

kernel void reads_plainly_what_is_atomic(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint count[1];
  if (i == 0) atomic_store_explicit(&count[0], 0u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  atomic_fetch_add_explicit(&count[0], 1u, memory_order_relaxed);  // wrong
  y[i] = float(*reinterpret_cast<threadgroup uint *>(&count[0]));  // wrong
}

kernel void uses_a_flag_for_a_barrier(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup atomic_uint ready[1];
  threadgroup float shared[1];
  if (i == 0) atomic_store_explicit(&ready[0], 0u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (i == 0) {
    shared[0] = 1.0f;  // wrong
    atomic_store_explicit(&ready[0], 1u, memory_order_relaxed);
  }
  y[i] = atomic_load_explicit(&ready[0], memory_order_relaxed) ? shared[0] : 1.0f;  // wrong
}
