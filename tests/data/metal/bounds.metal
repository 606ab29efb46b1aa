// Each kernel reads or writes outside of its memory, in the line that says so.
#include <metal_stdlib>

using namespace metal;

kernel void writes_behind_a_buffer(device float *y [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  y[i + 1] = 1.0f;  // wrong
}

kernel void reads_behind_a_buffer(device float *y [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  const float next = y[i + 1];  // wrong
  y[i] = next;
}

kernel void writes_before_a_buffer(device float *y [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  y[int(i) - 1] = 1.0f;  // wrong
}

kernel void writes_into_the_next_array(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float first[64];
  threadgroup float second[64];
  second[i] = 1.0f;
  first[i + 1] = 2.0f;  // wrong
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = first[i] + second[i];
}

kernel void reads_before_an_array(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float before[16];
  threadgroup float here[64];
  before[i % 16] = 1.0f;
  here[i] = before[i % 16];
  y[i] = here[int(i) - 1];  // wrong
}

kernel void takes_a_ragged_edge_for_whole(device float *y [[buffer(0)]], uint g [[threadgroup_position_in_grid]],
                                          uint i [[thread_index_in_threadgroup]],
                                          uint n [[threads_per_threadgroup]]) {
  y[64 * g + 63 - i] = float(n);  // wrong
}

kernel void writes_past_its_own_array(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float own[4] = {};
  own[i % 6] = 1.0f;  // wrong
  y[i] = own[0] + own[3];
}

kernel void reads_four_at_the_end(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  device float4 *wide = reinterpret_cast<device float4 *>(y);
  if (i < 26) wide[i] += 1.0f;  // wrong
}

kernel void forgets_the_tail_of_its_loop(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  for (uint n = i; n < 100; n += 64) y[n] = y[n + 3];  // wrong
}

kernel void rounds_its_rows_up(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  const uint row = i / 8, column = i % 8;
  y[row * 13 + column + 8] = 1.0f;  // wrong
}

kernel void walks_into_the_next_array(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float first[64];
  threadgroup float second[64];
  second[i] = 1.0f;
  threadgroup float *walks = first + i;
  walks[1] = 2.0f;  // wrong
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = first[i] + second[i];
}
