// Answers commands on stdin with the outcome on stdout, until stdin ends. All numbers are little-endian uint32, sizes
// in bytes uint64. A child process, so that a kernel's wild write or a sanitizer's report takes nobody else along.
//
//   A id bytes            a buffer filled with garbage
//   W id bytes data       a buffer with these bytes
//   R id                  -> data
//   F id                  forget a buffer
//   L launch              -> status, length, message
//   K                     -> 0, length, a line for each kernel: its name and its buffers' types
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <sys/mman.h>
#include <vector>
#include "runtime.h"
#include "sanitizers.h"

extern const msl::KernelEntry *const msl_tables[];

namespace {
struct Buffer {
  unsigned char *bytes;
  uint64_t size;
};
std::unordered_map<uint32_t, Buffer> buffers;

void take(void *into, size_t bytes) {
  if (bytes && std::fread(into, 1, bytes, stdin) != bytes) std::exit(0);
}
void give(const void *from, size_t bytes) {
  if (bytes && std::fwrite(from, 1, bytes, stdout) != bytes) std::exit(0);
}
template <class T>
T take() {
  T value;
  take(&value, sizeof value);
  return value;
}

void make(uint32_t id, bool filled) {
  uint64_t size = take<uint64_t>();
  // Exactly as many bytes as were asked for: one more is out of bounds.
  unsigned char *bytes = static_cast<unsigned char *>(std::malloc(size));
  if (filled)
    take(bytes, size);
  else if (size)
    std::memset(bytes, msl::garbage, size);
  buffers[id] = {bytes, size};
}

const msl::KernelEntry *find(const std::string &name) {
  for (auto table = msl_tables; *table; ++table)
    for (auto entry = *table; entry->name; ++entry)
      if (name == entry->name) return entry;
  return nullptr;
}

void answer(uint32_t status, const char *message) {
  uint32_t length = uint32_t(std::strlen(message));
  give(&status, sizeof status);
  give(&length, sizeof length);
  give(message, length);
}

#if MSL_TSAN
// A barrier may order one kind of memory and leave the other, and ThreadSanitizer knows one order of everything. So what
// orders device memory counts, and threadgroup memory is not watched; then the kernel runs once more, on copies of its
// buffers that are not watched, and what orders threadgroup memory counts.
constexpr size_t room_for_copies = size_t{1} << 32;

class Copies {
 public:
  // What there is no room for is watched in the first run alone.
  explicit Copies(const std::vector<Buffer> &used) {
    if (!region) {
      region = static_cast<unsigned char *>(
          mmap(nullptr, room_for_copies, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
      if (region == MAP_FAILED) std::abort();
      msl::do_not_watch(region, room_for_copies);
    }
    size_t at = 0;
    for (const Buffer &one : used) {
      complete = complete && one.size <= room_for_copies - at;
      if (!complete || !moved.emplace(one.bytes, region + at).second) continue;
      msl::copy(region + at, one.bytes, one.size);
      at += (one.size + 255) & ~size_t{255};
    }
  }

  int run(msl::Launch l, char *message, size_t room) {
    if (!complete) return 0;
    l.watched = msl::threadgroup_memory;
    for (auto &bytes : l.arguments.buffers)
      if (auto found = moved.find(bytes); found != moved.end()) bytes = found->second;
    return msl::run(l, message, room);
  }

 private:
  static unsigned char *region;
  std::unordered_map<void *, void *> moved;
  bool complete = true;
};
unsigned char *Copies::region = nullptr;

int run(msl::Launch &l, const std::vector<Buffer> &used, char *message, size_t room) {
  Copies copies(used);
  l.watched = msl::device_memory;
  msl::threadgroup_memory_used = false;
  const int failed = msl::run(l, message, room);
  return failed || !msl::threadgroup_memory_used ? failed : copies.run(l, message, room);
}
#else
int run(msl::Launch &l, const std::vector<Buffer> &, char *message, size_t room) { return msl::run(l, message, room); }
#endif

void launch() {
  std::string name(take<uint32_t>(), ' ');
  take(name.data(), name.size());
  msl::Launch l;
  std::memset(&l.arguments, 0, sizeof l.arguments);
  std::vector<std::vector<unsigned char>> values(msl::most_buffers);
  std::vector<Buffer> used;
  for (uint32_t left = take<uint32_t>(); left; --left) {
    uint32_t index = take<uint32_t>(), id = take<uint32_t>();
    used.push_back(buffers.at(id));
    l.arguments.buffers[index] = used.back().bytes;
  }
  for (uint32_t left = take<uint32_t>(); left; --left) {
    uint32_t index = take<uint32_t>();
    values[index].resize(take<uint32_t>());
    take(values[index].data(), values[index].size());
    l.arguments.buffers[index] = values[index].data();
  }
  l.threads = take<msl::U3>();
  l.group = take<msl::U3>();
  l.seed = take<uint32_t>();
  l.workers = take<uint32_t>();
  const msl::KernelEntry *kernel = find(name);
  if (!kernel) return answer(1, "no such kernel");
  l.entry = kernel->entry;
  char message[512] = "";
  answer(uint32_t(run(l, used, message, sizeof message)), message);
}
void tell_kernels() {
  std::string told;
  for (auto table = msl_tables; *table; ++table)
    for (auto entry = *table; entry->name; ++entry) told += std::string(entry->name) + ' ' + entry->types() + '\n';
  answer(0, told.c_str());
}
}  // namespace

int main() {
  for (int command; (command = std::getchar()) != EOF; std::fflush(stdout)) {
    if (command == 'L') {
      launch();
      continue;
    }
    if (command == 'K') {
      tell_kernels();
      continue;
    }
    uint32_t id = take<uint32_t>();
    if (command == 'A' || command == 'W') make(id, command == 'W');
    if (command == 'R') give(buffers.at(id).bytes, buffers.at(id).size);
    if (command == 'F') {
      std::free(buffers.at(id).bytes);
      buffers.erase(id);
    }
  }
}
