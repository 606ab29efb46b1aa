// histogram.
#include "mybro/histogram.h"

using namespace metal;

template <typename T>
[[kernel]] void histogram(device const T *x [[buffer(0)]], device const float *edges [[buffer(1)]],
                          device atomic_uint *counts [[buffer(2)]],
                          constant mybro::HistogramArguments &a [[buffer(3)]], MYBRO_POSITION) {
  threadgroup metal::atomic_uint local[mybro::kMostLocalBins];
  mybro::histogram<T>(x, edges, counts, a, local, MYBRO_HERE);
}

template <typename T>
[[kernel]] void histogram_wide(device const T *x [[buffer(0)]], device const float *edges [[buffer(1)]],
                               device atomic_uint *counts [[buffer(2)]],
                               constant mybro::HistogramArguments &a [[buffer(3)]], MYBRO_POSITION) {
  mybro::histogram_wide<T>(x, edges, counts, a, MYBRO_HERE);
}

template [[host_name("histogram_f32")]] [[kernel]] decltype(histogram<float>) histogram<float>;
template [[host_name("histogram_f16")]] [[kernel]] decltype(histogram<half>) histogram<half>;
template [[host_name("histogram_wide_f32")]] [[kernel]] decltype(histogram_wide<float>) histogram_wide<float>;
template [[host_name("histogram_wide_f16")]] [[kernel]] decltype(histogram_wide<half>) histogram_wide<half>;
