// scan and compact.
#include "mybro/scan.h"

using namespace metal;

template <typename Op, typename T>
[[kernel]] void scan_totals(device const T *x [[buffer(0)]], device typename Op::State *totals [[buffer(1)]],
                            constant mybro::ScanArguments &a [[buffer(2)]], MYBRO_POSITION) {
  threadgroup typename Op::State shared[mybro::kMostSimds];
  mybro::scan_totals<Op, T>(x, totals, a, shared, MYBRO_HERE);
}

template <typename Op, typename T>
[[kernel]] void scan_apply(device const T *x [[buffer(0)]], device const typename Op::State *offsets [[buffer(1)]],
                           device typename Op::Out *y [[buffer(2)]],
                           constant mybro::ScanArguments &a [[buffer(3)]], MYBRO_POSITION) {
  threadgroup typename Op::State shared[mybro::kMostSimds];
  mybro::scan_apply<Op, T>(x, offsets, y, a, shared, MYBRO_HERE);
}

template <typename T>
[[kernel]] void compact(device const T *x [[buffer(0)]], device const uchar *mask [[buffer(1)]],
                        device const uint *offsets [[buffer(2)]], device T *y [[buffer(3)]],
                        constant mybro::ScanArguments &a [[buffer(4)]], MYBRO_POSITION) {
  threadgroup uint shared[mybro::kMostSimds];
  mybro::compact<T>(x, mask, offsets, y, a, shared, MYBRO_HERE);
}

#define SCAN_TOTALS(suffix, op, type)                                                                  \
  template [[host_name("scan_totals_" suffix)]] [[kernel]] decltype(scan_totals<mybro::op, type>)     \
      scan_totals<mybro::op, type>;
#define SCAN_APPLY(suffix, op, type)                                                                   \
  template [[host_name("scan_apply_" suffix)]] [[kernel]] decltype(scan_apply<mybro::op, type>)       \
      scan_apply<mybro::op, type>;
#define COMPACT(suffix, type) \
  template [[host_name("compact_" suffix)]] [[kernel]] decltype(compact<type>) compact<type>;

SCAN_TOTALS("f32", ScanFloat, float)
SCAN_TOTALS("f16", ScanFloat, half)
SCAN_TOTALS("i32", ScanInt, uint)
SCAN_TOTALS("states", ScanStates, float2)
SCAN_TOTALS("mask", ScanMask, uchar)
SCAN_APPLY("f32", ScanFloat, float)
SCAN_APPLY("f16", ScanFloat, half)
SCAN_APPLY("i32", ScanInt, uint)
SCAN_APPLY("states", ScanStates, float2)
COMPACT("8", uchar)
COMPACT("16", ushort)
COMPACT("32", uint)
COMPACT("64", ulong)
