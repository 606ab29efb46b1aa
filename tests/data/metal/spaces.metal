// Every line that says so mixes up address spaces, or writes to what is constant.
#include <metal_stdlib>

using namespace metal;

struct Arguments {
  uint count;
};

inline float from_threadgroup(threadgroup const float *s, uint i) { return s[i]; }
inline float from_device(device const float *s, uint i) { return s[i]; }

kernel void mixed(device float *y [[buffer(0)]], device const float *x [[buffer(1)]],
                  constant Arguments &a [[buffer(2)]], constant float *table [[buffer(3)]],
                  device uint *plain [[buffer(4)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[32];
  y[i] = from_threadgroup(y, i);               // wrong
  y[i] = from_device(shared, i);               // wrong
  a.count = 3;                                 // wrong
  table[i] = 1.0f;                             // wrong
  x[i] = 1.0f;                                 // wrong
  threadgroup float *fine = &shared[1];
  device float *q = &shared[1];                // wrong
  thread float *z = &y[0];                     // wrong
  fine[i] = *q + *z;
  atomic_fetch_add_explicit(plain, 1u, memory_order_relaxed);  // wrong
}

kernel void more(device float *y [[buffer(0)]], constant float *table [[buffer(1)]],
                 uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[32];
  float own[2] = {};
  float sized[i];                                                                // wrong
  sized[0] = shared[0];
  threadgroup float *other = reinterpret_cast<threadgroup float *>(own);         // wrong
  device float *freed = reinterpret_cast<device float *>(table);                 // wrong
  y[i] = from_device(table, i) + from_threadgroup(own, i);                       // wrong
  y[i] += *other + *freed;
}

float global = 1.0f;  // wrong
