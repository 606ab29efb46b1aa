// Running sums along each row of a matrix, in three passes: no threadgroup waits for another.
//
//   scan_totals   each threadgroup reduces its tile to one state
//   scan_apply    the states themselves are scanned, exclusively (in more levels if they are many)
//   scan_apply    each threadgroup scans its tile again, from the state of all tiles before it
#pragma once
#include "mybro/reduce.h"

namespace mybro {
struct ScanArguments {
  uint columns;    // elements of a row
  uint exclusive;  // 1: without the element itself
};

constant constexpr uint kScanRun = 8;        // elements of a lane, one after the other
constant constexpr uint kScanThreads = 256;  // of a threadgroup
constant constexpr uint kScanTile = kScanRun * kScanThreads;

// What is scanned: the state of one element, the join of two states, and the number that a state stands for.
struct ScanFloat : SumOf {
  typedef float Out;
  static State of(float x) { return float2(x, 0.0f); }
  static Out value(State s) { return pair_value(s); }
};
struct ScanStates : SumOf {
  typedef float2 Out;
  static State of(float2 x) { return x; }
  static Out value(State s) { return s; }
};
struct ScanInt {
  typedef uint State;
  typedef uint Out;
  static State nothing() { return 0u; }
  static State join(State a, State b) { return a + b; }
  static State of(uint x) { return x; }
  static Out value(State s) { return s; }
};
// Counts what is not zero.
struct ScanMask : ScanInt {
  static State of(uchar x) { return x ? 1u : 0u; }
};

// Grid: tiles x rows. totals[row, tile].
template <typename Op, typename T>
inline void scan_totals(device const T *x, device typename Op::State *totals, const ScanArguments a,
                        threadgroup typename Op::State *shared, const Thread t) {
  const ulong row = ulong(t.group.y) * a.columns;
  const uint first = t.group.x * kScanTile + t.index * kScanRun;
  typename Op::State s = Op::nothing();
  for (uint i = first; i < min(first + kScanRun, a.columns); ++i) s = Op::join(s, Op::of(x[row + i]));
  s = join_lanes<Op>(s, shared, t);
  if (t.index == 0) totals[t.group.y * t.groups.x + t.group.x] = s;
}

// The state of all lanes of the threadgroup before this one.
template <typename Op>
inline typename Op::State lanes_before(typename Op::State mine, threadgroup typename Op::State *shared,
                                       const Thread t) {
  typename Op::State s = mine;
  for (ushort step = 1; step < kSimdWidth; step *= 2) {
    const typename Op::State below = simd_shuffle_up(s, step);
    if (t.lane >= step) s = Op::join(below, s);
  }
  if (t.lane == kSimdWidth - 1) shared[t.simd] = s;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  typename Op::State before = Op::nothing();
  for (uint i = 0; i < t.simd; ++i) before = Op::join(before, shared[i]);
  const typename Op::State below = simd_shuffle_up(s, ushort(1));
  return t.lane == 0 ? before : Op::join(before, below);
}

// Grid: tiles x rows. y[row, column], beginning each tile with offsets[row, tile].
template <typename Op, typename T>
inline void scan_apply(device const T *x, device const typename Op::State *offsets, device typename Op::Out *y,
                       const ScanArguments a, threadgroup typename Op::State *shared, const Thread t) {
  const ulong row = ulong(t.group.y) * a.columns;
  const uint first = t.group.x * kScanTile + t.index * kScanRun;
  const uint end = min(first + kScanRun, a.columns);
  typename Op::State mine = Op::nothing();
  for (uint i = first; i < end; ++i) mine = Op::join(mine, Op::of(x[row + i]));
  const typename Op::State offset = offsets[t.group.y * t.groups.x + t.group.x];
  typename Op::State s = Op::join(offset, lanes_before<Op>(mine, shared, t));
  for (uint i = first; i < end; ++i) {
    const typename Op::State next = Op::join(s, Op::of(x[row + i]));
    y[row + i] = Op::value(a.exclusive ? s : next);
    s = next;
  }
}

// Grid: tiles x 1. Moves each element whose mask is not zero to the number of such elements before it.
template <typename T>
inline void compact(device const T *x, device const uchar *mask, device const uint *offsets, device T *y,
                    const ScanArguments a, threadgroup uint *shared, const Thread t) {
  const uint first = t.group.x * kScanTile + t.index * kScanRun;
  const uint end = min(first + kScanRun, a.columns);
  uint mine = 0;
  for (uint i = first; i < end; ++i) mine += mask[i] ? 1u : 0u;
  uint place = offsets[t.group.x] + lanes_before<ScanInt>(mine, shared, t);
  for (uint i = first; i < end; ++i)
    if (mask[i]) y[place++] = x[i];
}
}  // namespace mybro
