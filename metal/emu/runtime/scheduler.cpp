// Runs a grid: lanes as fibers, one threadgroup to a thread of the machine.
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <sys/mman.h>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif
#include "fiber.h"
#include "runtime.h"
#include "sanitizers.h"

namespace msl {
thread_local Group *group;
thread_local Lane *lane;
std::atomic<bool> threadgroup_memory_used{false};

namespace {
constexpr size_t stack_bytes = 64 << 10, red_zone = 64, most_variables = 64;
constexpr size_t arena_bytes = threadgroup_bytes + (most_variables + 1) * 2 * red_zone;

struct Variable {
  const void *key;
  void *place;
};

struct Worker {
  Lane lanes[most_lanes];
  Fiber fibers[most_lanes], home;
  Group here;
  Launch launch;
  unsigned char *stacks, *arena, *arenas[2];  // one is watched by ThreadSanitizer, the other is not
  Variable variables[most_variables];
  size_t used = 0, taken = 0, variable_count = 0;
  uint32_t order[most_lanes], place = 0, finished = 0, at_barrier = 0, phase = 0;
  uint32_t alive[most_lanes / simd_width], waiting[most_lanes / simd_width], simd_phase[most_lanes / simd_width] = {};
  // Two clocks for each barrier: a lane that wakes late must not inherit the order of the next phase.
  char began, ended, group_clock[2], simd_clock[most_lanes / simd_width][2];
  void *home_tsan = nullptr;
  bool failed = false;
  char message[512];

  Worker() {
    stacks = static_cast<unsigned char *>(mmap(nullptr, stack_bytes * most_lanes, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    for (auto &one : arenas) one = static_cast<unsigned char *>(aligned_alloc(128, arena_bytes));
    arena = arenas[0];
    do_not_watch(arenas[1], arena_bytes);
  }
};

thread_local Worker *worker;
void lane_main();

void jump(Lane *from, Lane *to) {  // nullptr: the scheduler
  Worker &w = *worker;
#if MSL_TSAN
  __tsan_switch_to_fiber(to ? to->tsan : w.home_tsan, 1 /* no order follows from the switch */);
#endif
  lane = to;
  Fiber &source = from ? w.fibers[from->index] : w.home;
  Fiber &target = to ? w.fibers[to->index] : w.home;
  Fiber::swap(source, target);
}

// The next lane that can run, in the order that the seed decided.
Lane *pick() {
  Worker &w = *worker;
  for (uint32_t tried = 0; tried < w.here.lanes; ++tried) {
    w.place = w.place + 1 == w.here.lanes ? 0 : w.place + 1;
    Lane &candidate = w.lanes[w.order[w.place]];
    if (candidate.state == State::fresh || candidate.state == State::ready) return &candidate;
  }
  return nullptr;
}

void tell_divergence() {
  Worker &w = *worker;
  Lane *first = nullptr;
  for (uint32_t i = 0; i < w.here.lanes; ++i) {
    Lane &one = w.lanes[i];
    if (one.state == State::done) continue;
    if (!first) first = &one;
    if (!(one.site == first->site))
      fail("divergent synchronisation: thread %u is at %s (%s:%d), thread %u at %s (%s:%d)", first->index,
           first->site.what, first->site.file, first->site.line, one.index, one.site.what, one.site.file,
           one.site.line);
  }
  fail("divergent synchronisation: thread %u is at %s (%s:%d), others have left the kernel", first->index,
       first->site.what, first->site.file, first->site.line);
}

void start(Lane &fresh) {
  Worker &w = *worker;
  // Staggered, so that the lanes' frames do not all fall into the same sets of the cache.
  size_t bytes = stack_bytes - (fresh.index % 32) * 320;
  w.fibers[fresh.index].prepare(w.stacks + fresh.index * stack_bytes, bytes, lane_main);
}

void run_another(Lane *me) {
  Lane *next = pick();
  if (!next) return tell_divergence();
  bool fresh = next->state == State::fresh;
  next->state = State::ready;
  if (next == me) return;
  if (fresh) start(*next);
  jump(me, next);
}

// All lanes of the simdgroup that still run have come: check that they came to the same place, and let them go.
void complete_simd(uint32_t simd) {
  Worker &w = *worker;
  uint32_t base = simd * simd_width, active = 0;
  uint32_t count = w.here.lanes - base < simd_width ? w.here.lanes - base : simd_width;
  Lane *lanes[simd_width] = {}, *first = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    Lane *one = lanes[i] = &w.lanes[base + i];
    if (one->state != State::at_simd_operation) continue;
    if (!first) first = one;
    if (!(one->site == first->site)) return tell_divergence();
    active |= 1u << i;
  }
  for (uint32_t i = 0; i < count; ++i)
    if (active >> i & 1) lanes[i]->state = State::ready;
  w.waiting[simd] = 0;
  ++w.simd_phase[simd];
  if (first->combine) first->combine(lanes, active);
}

void lane_main() {
  for (;;) {
    Worker &w = *worker;
    Lane *me = lane;
    acquire(&w.began);
    w.launch.entry(w.launch.arguments);
    release(&w.ended);
    me->state = State::done;
    --w.alive[me->simd];
    if (++w.finished == w.here.lanes) {
      jump(me, nullptr);
      continue;
    }
    // A lane that has left no longer counts: the others' operation may be complete now.
    if (w.waiting[me->simd] && w.waiting[me->simd] == w.alive[me->simd]) complete_simd(me->simd);
    Lane *next = pick();
    if (!next) return tell_divergence();
    bool fresh = next->state == State::fresh;
    next->state = State::ready;
#if !MSL_TSAN
    if (fresh) {  // on this stack, which is free again: a kernel without barriers needs no other
      lane = next;
      continue;
    }
#endif
    if (fresh) start(*next);
    jump(me, next);
  }
}

void flush_denormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | (1ull << 24)));
#endif
}

uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

// The threadgroup's place, and its size: what is left of the grid at a ragged edge.
void place_group(Worker &w, uint64_t number) {
  Group &g = w.here;
  const Launch &l = w.launch;
  g.position = {uint32_t(number % g.count.x), uint32_t(number / g.count.x % g.count.y),
                uint32_t(number / g.count.x / g.count.y)};
  g.size = {smaller(l.group.x, l.threads.x - g.position.x * l.group.x),
            smaller(l.group.y, l.threads.y - g.position.y * l.group.y),
            smaller(l.group.z, l.threads.z - g.position.z * l.group.z)};
  g.lanes = g.size.x * g.size.y * g.size.z;
  g.simds = (g.lanes + simd_width - 1) / simd_width;
}

void reset(Worker &w) {
  unpoison(w.arena, arena_bytes);
  w.used = w.taken = w.variable_count = 0;
  w.finished = w.at_barrier = 0;
  for (uint32_t i = 0; i < w.here.lanes; ++i) {
    Lane &one = w.lanes[i];
    one.index = i;
    one.lane = i % simd_width;
    one.simd = i / simd_width;
    one.state = State::fresh;
    w.order[i] = i;
#if MSL_TSAN
    if (!one.tsan) one.tsan = __tsan_create_fiber(0);
#endif
  }
  for (uint32_t s = 0; s < w.here.simds; ++s) {
    w.waiting[s] = 0;
    w.alive[s] = smaller(simd_width, w.here.lanes - s * simd_width);
  }
}

void shuffle(Worker &w, uint64_t number) {
  if (!w.launch.seed) return;
  std::minstd_rand random(w.launch.seed * 7919 + uint32_t(number) + 1);
  for (uint32_t i = w.here.lanes; i > 1; --i) std::swap(w.order[i - 1], w.order[random() % i]);
}

void run_group(Worker &w, uint64_t number) {
  place_group(w, number);
  reset(w);
  shuffle(w, number);
  w.place = 0;
  Lane *first = &w.lanes[w.order[0]];
  first->state = State::ready;
  start(*first);
  release(&w.began);
  jump(nullptr, first);
  acquire(&w.ended);
  if (w.failed) unpoison(w.stacks, stack_bytes * most_lanes);  // lanes were left in the middle of their functions
}

struct Work {
  const Launch &launch;
  U3 count;
  uint64_t total;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
};

std::mutex pool_lock;
std::vector<Worker *> pool;

Worker *borrow() {
  std::lock_guard<std::mutex> held(pool_lock);
  if (pool.empty()) return new Worker();
  Worker *w = pool.back();
  pool.pop_back();
  return w;
}

void give_back(Worker *w) {
  std::lock_guard<std::mutex> held(pool_lock);
  pool.push_back(w);
}

bool work(Work &all, char *message, size_t room) {
  flush_denormals();
  Worker *w = worker = borrow();
  group = &w->here;
  w->launch = all.launch;
  w->arena = w->arenas[all.launch.watched & threadgroup_memory ? 0 : 1];
  w->here.count = all.count;
  w->here.threads = all.launch.threads;
  w->here.full = all.launch.group;
  w->failed = false;
#if MSL_TSAN
  w->home_tsan = __tsan_get_current_fiber();
#endif
  const uint64_t chunk = all.total > 4096 ? 16 : 1;
  while (!all.stop && !w->failed) {
    uint64_t begin = all.next.fetch_add(chunk);
    if (begin >= all.total) break;
    for (uint64_t q = begin; q < begin + chunk && q < all.total && !w->failed; ++q)
      run_group(*w, all.launch.seed % 2 ? all.total - 1 - q : q);
  }
  bool failed = w->failed;
  if (failed) {
    all.stop = true;
    std::snprintf(message, room, "%s", w->message);
  }
  give_back(w);
  return !failed;
}
}  // namespace

void fail(const char *format, ...) {
  Worker &w = *worker;
  va_list values;
  va_start(values, format);
  std::vsnprintf(w.message, sizeof w.message, format, values);
  va_end(values);
  w.failed = true;
  jump(lane, nullptr);  // and never back
}

void group_barrier(Site site, uint32_t orders) {
  Worker &w = *worker;
  Lane *me = lane;
  uint32_t phase = w.phase & 1;
  const bool orders_memory = orders & w.launch.watched;
  me->state = State::at_group_barrier;
  me->site = site;
  if (orders_memory) release(&w.group_clock[phase]);
  if (++w.at_barrier == w.here.lanes) {
    for (uint32_t i = 0; i < w.here.lanes; ++i) {
      if (!(w.lanes[i].site == site)) return tell_divergence();
      w.lanes[i].state = State::ready;
    }
    w.at_barrier = 0;
    ++w.phase;
  } else {
    run_another(me);
  }
  if (orders_memory) acquire(&w.group_clock[phase]);
}

void simd_operation(Site site, Combine combine, const void *in, void *out, size_t bytes, uint32_t aux) {
  Worker &w = *worker;
  Lane *me = lane;
  uint32_t simd = me->simd, phase = w.simd_phase[simd] & 1;
  copy(me->in, static_cast<const unsigned char *>(in), bytes);
  me->state = State::at_simd_operation;
  me->site = site;
  me->combine = combine;
  me->aux = aux;
  const bool orders_memory = !combine && (aux & w.launch.watched);  // an exchange of values orders nothing
  if (orders_memory) release(&w.simd_clock[simd][phase]);
  if (++w.waiting[simd] == w.alive[simd])
    complete_simd(simd);
  else
    run_another(me);
  if (orders_memory) acquire(&w.simd_clock[simd][phase]);
  copy(static_cast<unsigned char *>(out), me->out, bytes);
}

// The same place for every lane of a threadgroup. Filled with garbage when first asked for, as a GPU's is.
void *threadgroup_variable(const void *key, size_t bytes, size_t alignment) {
  Worker &w = *worker;
  for (size_t i = 0; i < w.variable_count; ++i)
    if (w.variables[i].key == key) return w.variables[i].place;
  size_t padded = (bytes + 15) & ~size_t{15};
  w.taken += padded;
  if (w.taken > threadgroup_bytes || w.variable_count == most_variables)
    fail("threadgroup memory: %zu bytes, of %u at most", w.taken, threadgroup_bytes);
  size_t at = (w.used + red_zone + alignment - 1) & ~(alignment - 1);
  at = (at + 15) & ~size_t{15};
  unsigned char *place = w.arena + at;
  fill(place, garbage, bytes);
  poison(w.arena + w.used, at - w.used);
  w.used = at + bytes;
  poison(w.arena + w.used, red_zone);
  w.variables[w.variable_count++] = {key, place};
  threadgroup_memory_used.store(true, std::memory_order_relaxed);
  return place;
}

int run(const Launch &launch, char *message, size_t room) {
  auto groups = [](uint32_t threads, uint32_t size) { return (threads + size - 1) / size; };
  const U3 &t = launch.threads, &g = launch.group;
  if (!g.x || !g.y || !g.z || uint64_t(g.x) * g.y * g.z > most_lanes) {
    std::snprintf(message, room, "a threadgroup has 1 to %u threads, not %u x %u x %u", most_lanes, g.x, g.y, g.z);
    return 1;
  }
  U3 count{groups(t.x, g.x), groups(t.y, g.y), groups(t.z, g.z)};
  Work all{launch, count, uint64_t(count.x) * count.y * count.z};
  std::atomic<bool> good{true};
  const uint32_t workers = launch.workers ? smaller(launch.workers, uint32_t(all.total < 64 ? all.total : 64)) : 1;
  std::vector<std::vector<char>> messages(workers, std::vector<char>(room, 0));
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < workers; ++i)
    threads.emplace_back([&, i] {
      if (!work(all, messages[i].data(), room)) good = false;
    });
  for (auto &thread : threads) thread.join();
  for (auto &one : messages)
    if (one[0]) std::snprintf(message, room, "%s", one.data());
  return !good;
}
}  // namespace msl
