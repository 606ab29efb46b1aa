#include <metal_stdlib>
using namespace metal;

// y = a x + y
kernel void axpy_f32(device const float* x [[buffer(0)]],
                     device float* y [[buffer(1)]],
                     constant uint& length [[buffer(2)]],
                     constant float& a [[buffer(3)]],
                     uint index [[thread_position_in_grid]]) {
    if (index < length) y[index] = fma(a, x[index], y[index]);
}

kernel void relu_f32(device const float* in [[buffer(0)]],
                     device float* out [[buffer(1)]],
                     constant uint& length [[buffer(2)]],
                     uint index [[thread_position_in_grid]]) {
    // NaN stays NaN: max() would hide it.
    if (index < length) out[index] = in[index] < 0.0f ? 0.0f : in[index];
}
