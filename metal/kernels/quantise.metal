// quantise and dequantise.
#include "mybro/quantise.h"

using namespace metal;

kernel void quantise_scales(device const float2 *ranges [[buffer(0)]], device float *scales [[buffer(1)]],
                            device int *zeros [[buffer(2)]], constant mybro::QuantiseArguments &a [[buffer(3)]],
                            MYBRO_POSITION) {
  mybro::quantise_scales(ranges, scales, zeros, a, MYBRO_HERE);
}

template <typename T>
[[kernel]] void quantise(device const T *x [[buffer(0)]], device const float *scales [[buffer(1)]],
                         device const int *zeros [[buffer(2)]], device char *q [[buffer(3)]],
                         constant mybro::QuantiseArguments &a [[buffer(4)]], MYBRO_POSITION) {
  mybro::quantise<T>(x, scales, zeros, q, a, MYBRO_HERE);
}

template <typename T>
[[kernel]] void dequantise(device const char *q [[buffer(0)]], device const float *scales [[buffer(1)]],
                           device const int *zeros [[buffer(2)]], device T *y [[buffer(3)]],
                           constant mybro::QuantiseArguments &a [[buffer(4)]], MYBRO_POSITION) {
  mybro::dequantise<T>(q, scales, zeros, y, a, MYBRO_HERE);
}

template [[host_name("quantise_f32")]] [[kernel]] decltype(quantise<float>) quantise<float>;
template [[host_name("quantise_f16")]] [[kernel]] decltype(quantise<half>) quantise<half>;
template [[host_name("dequantise_f32")]] [[kernel]] decltype(dequantise<float>) dequantise<float>;
template [[host_name("dequantise_f16")]] [[kernel]] decltype(dequantise<half>) dequantise<half>;
