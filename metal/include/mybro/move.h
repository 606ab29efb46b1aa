// Moves of elements. They are moved as bits, by their size: nothing is rounded, flushed or quieted.
#pragma once
#include "mybro/thread.h"

namespace mybro {
struct CopyArguments {
  uint count;
};
struct TransposeArguments {
  uint rows;
  uint columns;
};
struct RepackArguments {
  uint count;      // elements of the result
  uint columns;    // elements that a source row has; beyond them the result is zero
  uint extent[4];  // of the result
  int stride[4];   // of the source, in elements
};

constant constexpr uint kTransposeTile = 32;
constant constexpr uint kTransposePitch = kTransposeTile + 1;  // a column of the tile falls into different banks

template <typename T>
inline void copy(device const T *x, device T *y, const CopyArguments a, const Thread t) {
  const uint first = 4 * (t.group.x * t.size + t.index);
  for (uint i = first; i < min(first + 4, a.count); ++i) y[i] = x[i];
}

// Grid: tiles across x tiles down x matrices; 32 x 8 threads.
template <typename T>
inline void transpose(device const T *x, device T *y, const TransposeArguments a, threadgroup T *tile,
                      const Thread t) {
  const ulong matrix = ulong(t.group.z) * a.rows * a.columns;
  const uint across = t.index % kTransposeTile;
  const uint down = t.index / kTransposeTile;
  const uint step = t.size / kTransposeTile;
  const uint column = t.group.x * kTransposeTile + across;
  for (uint r = down; r < kTransposeTile; r += step) {
    const uint row = t.group.y * kTransposeTile + r;
    if (row < a.rows && column < a.columns)
      tile[r * kTransposePitch + across] = x[matrix + ulong(row) * a.columns + column];
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  const uint row = t.group.y * kTransposeTile + across;
  for (uint r = down; r < kTransposeTile; r += step) {
    const uint target = t.group.x * kTransposeTile + r;
    if (row < a.rows && target < a.columns)
      y[matrix + ulong(target) * a.rows + row] = tile[across * kTransposePitch + r];
  }
}

// A contiguous copy of what lies at up to four strides, each row padded with zeros or cut.
template <typename T>
inline void repack(device const T *x, device T *y, const RepackArguments a, const Thread t) {
  const uint i = t.group.x * t.size + t.index;
  if (i >= a.count) return;
  uint left = i;
  const uint column = left % a.extent[3];
  left /= a.extent[3];
  const uint row = left % a.extent[2];
  left /= a.extent[2];
  const uint plane = left % a.extent[1];
  const uint block = left / a.extent[1];
  const long from = long(block) * a.stride[0] + long(plane) * a.stride[1] + long(row) * a.stride[2] +
                    long(column) * a.stride[3];
  y[i] = column < a.columns ? x[from] : T(0);
}
}  // namespace mybro
