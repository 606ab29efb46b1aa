// Dot products and cosines of many rows: with one partner each (rowwise), or with every query (tiled).
#pragma once
#include "mybro/pair.h"
#include "mybro/thread.h"

namespace mybro {
struct BatchedArguments {
  uint rows;
  uint queries;
  uint width;   // elements of a row and of a query
  uint stride;  // from one partner to the next; 0: all rows have the same one
};

constant constexpr uint kRegisters = 4;  // rows and queries of a lane
constant constexpr uint kDepth = 16;     // elements of a row that are in threadgroup memory at a time

// How products are summed. Floats: rowwise sums are compensated; tiled ones are summed in blocks of kDepth, and then
// the blocks, so that the error grows with width / 16. Eight bits: exactly, up to a width of 131072.
template <typename T>
struct Arithmetic {
  typedef float Sum;
  typedef float2 Careful;
  static Careful nothing() { return float2(0.0f, 0.0f); }
  static Careful add(Careful s, T x, T y) { return pair_add(s, two_product(float(x), float(y))); }
  static Careful join(Careful a, Careful b) { return pair_add(a, b); }
  static Sum value(Careful s) { return pair_value(s); }
  static Sum multiply_add(T x, T y, Sum s) { return fma(float(x), float(y), s); }
};
template <>
struct Arithmetic<char> {
  typedef int Sum;
  typedef int Careful;
  static Careful nothing() { return 0; }
  static Careful add(Careful s, char x, char y) { return s + int(x) * int(y); }
  static Careful join(Careful a, Careful b) { return a + b; }
  static Sum value(Careful s) { return s; }
  static Sum multiply_add(char x, char y, Sum s) { return s + int(x) * int(y); }
};

// The cosine of the angle; 0 where one of the two has no length.
inline float cosine_of(float product, float x_squares, float y_squares) {
  const float lengths = sqrt(x_squares) * sqrt(y_squares);
  return lengths == 0.0f ? 0.0f : product / lengths;
}

template <typename T>
inline typename Arithmetic<T>::Sum join_simd(typename Arithmetic<T>::Careful s) {
  for (ushort step = kSimdWidth / 2; step > 0; step /= 2) s = Arithmetic<T>::join(s, simd_shuffle_xor(s, step));
  return Arithmetic<T>::value(s);
}

// One simdgroup to a row. z[row] = x[row] . y[row].
template <typename T>
inline void dot_rowwise(device const T *x, device const T *y, device typename Arithmetic<T>::Sum *z,
                        const BatchedArguments a, const Thread t) {
  const uint row = t.group.x * t.simds + t.simd;
  if (row >= a.rows) return;
  typename Arithmetic<T>::Careful s = Arithmetic<T>::nothing();
  for (uint i = t.lane; i < a.width; i += kSimdWidth)
    s = Arithmetic<T>::add(s, x[ulong(row) * a.width + i], y[ulong(row) * a.stride + i]);
  const typename Arithmetic<T>::Sum sum = join_simd<T>(s);
  if (t.lane == 0) z[row] = sum;
}

template <typename T>
inline void cosine_rowwise(device const T *x, device const T *y, device float *z, const BatchedArguments a,
                           const Thread t) {
  const uint row = t.group.x * t.simds + t.simd;
  if (row >= a.rows) return;
  typename Arithmetic<T>::Careful xy = Arithmetic<T>::nothing();
  typename Arithmetic<T>::Careful xx = Arithmetic<T>::nothing();
  typename Arithmetic<T>::Careful yy = Arithmetic<T>::nothing();
  for (uint i = t.lane; i < a.width; i += kSimdWidth) {
    const T one = x[ulong(row) * a.width + i];
    const T other = y[ulong(row) * a.stride + i];
    xy = Arithmetic<T>::add(xy, one, other);
    xx = Arithmetic<T>::add(xx, one, one);
    yy = Arithmetic<T>::add(yy, other, other);
  }
  const float product = float(join_simd<T>(xy));
  const float x_squares = float(join_simd<T>(xx));
  const float y_squares = float(join_simd<T>(yy));
  if (t.lane == 0) z[row] = cosine_of(product, x_squares, y_squares);
}

// Copies kDepth elements of `count` rows into threadgroup memory, row beside row; what is not there is zero.
template <typename T>
inline void load_tile(device const T *x, threadgroup T *tile, uint first, uint rows, uint count, uint depth,
                      uint width, const Thread t) {
  for (uint e = t.index; e < count * kDepth; e += t.size) {
    const uint row = first + e / kDepth;
    const uint column = depth + e % kDepth;
    tile[e % kDepth * count + e / kDepth] =
        row < rows && column < width ? x[ulong(row) * width + column] : T(0);
  }
}

// What one lane has summed.
template <typename T>
struct Sums {
  typename Arithmetic<T>::Sum products[kRegisters][kRegisters];  // [row][query]
  typename Arithmetic<T>::Sum rows[kRegisters];                  // squares
  typename Arithmetic<T>::Sum queries[kRegisters];
};

template <typename T>
inline Sums<T> no_sums() {
  Sums<T> s;
  for (uint r = 0; r < kRegisters; ++r) {
    s.rows[r] = 0;
    s.queries[r] = 0;
    for (uint q = 0; q < kRegisters; ++q) s.products[r][q] = 0;
  }
  return s;
}

// One block of kDepth elements, out of threadgroup memory, added up by itself.
template <typename T, uint kAcross, uint kDown, bool squares>
inline Sums<T> sum_block(threadgroup const T *row_tile, threadgroup const T *query_tile, uint across, uint down) {
  Sums<T> s = no_sums<T>();
  for (uint k = 0; k < kDepth; ++k) {
    T x[kRegisters];
    T y[kRegisters];
    for (uint r = 0; r < kRegisters; ++r) {
      x[r] = row_tile[k * kRegisters * kAcross + across + kAcross * r];
      y[r] = query_tile[k * kRegisters * kDown + down + kDown * r];
    }
    for (uint r = 0; r < kRegisters; ++r) {
      for (uint q = 0; q < kRegisters; ++q)
        s.products[r][q] = Arithmetic<T>::multiply_add(x[r], y[q], s.products[r][q]);
      if (squares) {
        s.rows[r] = Arithmetic<T>::multiply_add(x[r], x[r], s.rows[r]);
        s.queries[r] = Arithmetic<T>::multiply_add(y[r], y[r], s.queries[r]);
      }
    }
  }
  return s;
}

// Every row with every query: z[query, row]. kAcross * kDown lanes; each holds kRegisters rows times kRegisters
// queries in registers, so that what is read from threadgroup memory serves several products, and what is read from
// device memory serves a whole tile. Grid: row tiles x query tiles.
template <typename T, typename Out, uint kAcross, uint kDown, bool cosine>
inline void tiled(device const T *x, device const T *y, device Out *z, const BatchedArguments a,
                  threadgroup T *row_tile, threadgroup T *query_tile, const Thread t) {
  const uint first_row = t.group.x * kRegisters * kAcross;
  const uint first_query = t.group.y * kRegisters * kDown;
  const uint across = t.index % kAcross;
  const uint down = t.index / kAcross;
  Sums<T> total = no_sums<T>();
  for (uint depth = 0; depth < a.width; depth += kDepth) {
    load_tile<T>(x, row_tile, first_row, a.rows, kRegisters * kAcross, depth, a.width, t);
    load_tile<T>(y, query_tile, first_query, a.queries, kRegisters * kDown, depth, a.width, t);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    const Sums<T> block = sum_block<T, kAcross, kDown, cosine>(row_tile, query_tile, across, down);
    for (uint r = 0; r < kRegisters; ++r) {
      total.rows[r] += block.rows[r];
      total.queries[r] += block.queries[r];
      for (uint q = 0; q < kRegisters; ++q) total.products[r][q] += block.products[r][q];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  for (uint q = 0; q < kRegisters; ++q) {
    const uint query = first_query + down + kDown * q;
    for (uint r = 0; r < kRegisters; ++r) {
      const uint row = first_row + across + kAcross * r;
      if (row < a.rows && query < a.queries)
        z[ulong(query) * a.rows + row] =
            cosine ? Out(cosine_of(float(total.products[r][q]), float(total.rows[r]), float(total.queries[q])))
                   : Out(total.products[r][q]);
    }
  }
}
}  // namespace mybro
