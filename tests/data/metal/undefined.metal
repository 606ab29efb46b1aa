// Each kernel does in one line what MSL gives no meaning to, and a GPU something else than a CPU.
#include <metal_stdlib>

using namespace metal;

kernel void divides_by_zero(device int *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = 100 / (int(i) - 40);  // wrong
}

kernel void shifts_too_far(device uint *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = 1u << i;  // wrong
}

kernel void converts_what_does_not_fit(device int *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  y[i] = int(float(i) * 1e8f);  // wrong
}

kernel void reads_four_from_anywhere(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  device float4 *here = reinterpret_cast<device float4 *>(y + 1);
  if (i == 0) here[0] = 1.0f;  // wrong
}
