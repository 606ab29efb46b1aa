// What compiled kernels and the scheduler know of each other.
//
// A lane is a fiber. A threadgroup runs on one thread of the machine; its lanes take turns there, each until it waits
// for the others. Threadgroups run side by side on several threads, in an order that the seed decides.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace msl {
constexpr uint32_t simd_width = 32, most_lanes = 1024, most_buffers = 31, threadgroup_bytes = 32768;
constexpr unsigned char garbage = 0xCB;

struct U3 {
  uint32_t x, y, z;
};

// Kinds of memory: what a barrier puts in order (MSL's mem_flags), and what ThreadSanitizer watches.
enum Memory : uint32_t { nothing = 0, device_memory = 1, threadgroup_memory = 2, all_memory = 3 };

// Where in the .metal file a lane waits, and for what.
struct Site {
  const char *what = nullptr, *file = nullptr;
  int line = 0;
  bool operator==(const Site &other) const { return what == other.what && file == other.file && line == other.line; }
};

struct Lane;
using Combine = void (*)(Lane *const *lanes, uint32_t active);

enum class State : uint8_t { fresh, ready, at_group_barrier, at_simd_operation, done };

struct Lane {
  void *fiber = nullptr, *tsan = nullptr;
  uint32_t index = 0, lane = 0, simd = 0, aux = 0;
  State state = State::fresh;
  Site site;
  Combine combine = nullptr;
  alignas(16) unsigned char in[16], out[16];
};

struct Group {
  U3 size, full;  // of this threadgroup, at a ragged edge smaller than the others', and of a full one
  U3 position, count, threads;
  uint32_t lanes, simds;
};

struct Arguments {
  void *buffers[most_buffers];
};
using Entry = void (*)(const Arguments &);
struct KernelEntry {
  const char *name;
  Entry entry;
  std::string (*types)();  // of its buffers' elements, in the order of their indices
};

extern thread_local Group *group;
extern thread_local Lane *lane;

void group_barrier(Site site, uint32_t orders);
// Without `combine` it is a barrier, which puts memory in order as far as `aux` says.
void simd_operation(Site site, Combine combine, const void *in, void *out, size_t bytes, uint32_t aux);
void *threadgroup_variable(const void *key, size_t bytes, size_t alignment);
void fail(const char *format, ...);

struct Launch {
  Entry entry;
  Arguments arguments;
  U3 threads, group;
  uint32_t seed, workers;
  uint32_t watched = all_memory;  // a barrier that orders none of it orders nothing
};
// Whether a kernel has asked for threadgroup memory since this was last set to false.
extern std::atomic<bool> threadgroup_memory_used;
// 0, or 1 with a message.
int run(const Launch &launch, char *message, size_t room);
}  // namespace msl
