// Counts between edges: bin i holds edges[i] <= x < edges[i + 1], the last one also its upper edge.
//
// What is no number or outside is counted nowhere. Counts are integers: their order of arrival changes nothing.
#pragma once
#include "mybro/thread.h"

namespace mybro {
struct HistogramArguments {
  uint count;   // elements
  uint bins;
  float scale;  // bins per unit: where to begin to look
};

constant constexpr uint kMostLocalBins = 4096;

// The bin of a value that lies between the first and the last edge. The guess may be wrong by its rounding; the
// edges decide.
inline uint bin_of(float value, device const float *edges, const HistogramArguments a) {
  const float guess = (value - edges[0]) * a.scale;
  uint bin = guess > 0.0f ? uint(min(guess, float(a.bins - 1))) : 0u;
  while (bin > 0 && value < edges[bin]) --bin;
  while (bin < a.bins - 1 && value >= edges[bin + 1]) ++bin;
  return bin;
}

// Each threadgroup counts for itself and adds its counts to those of all.
template <typename T>
inline void histogram(device const T *x, device const float *edges, device atomic_uint *counts,
                      const HistogramArguments a, threadgroup atomic_uint *local, const Thread t) {
  for (uint b = t.index; b < a.bins; b += t.size) atomic_store_explicit(&local[b], 0u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint i = t.group.x * t.size + t.index; i < a.count; i += t.groups.x * t.size) {
    const float value = float(x[i]);
    if (value >= edges[0] && value <= edges[a.bins])
      atomic_fetch_add_explicit(&local[bin_of(value, edges, a)], 1u, memory_order_relaxed);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint b = t.index; b < a.bins; b += t.size) {
    const uint found = atomic_load_explicit(&local[b], memory_order_relaxed);
    if (found) atomic_fetch_add_explicit(&counts[b], found, memory_order_relaxed);
  }
}

// For more bins than threadgroup memory holds.
template <typename T>
inline void histogram_wide(device const T *x, device const float *edges, device atomic_uint *counts,
                           const HistogramArguments a, const Thread t) {
  for (uint i = t.group.x * t.size + t.index; i < a.count; i += t.groups.x * t.size) {
    const float value = float(x[i]);
    if (value >= edges[0] && value <= edges[a.bins])
      atomic_fetch_add_explicit(&counts[bin_of(value, edges, a)], 1u, memory_order_relaxed);
  }
}
}  // namespace mybro
