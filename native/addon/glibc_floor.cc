// Lets an addon that was built on a newer Linux load with glibc 2.28, the floor of ONNX Runtime's
// own library.
//
// glibc 2.34 moved the functions below from libpthread and libdl into libc, under a new version
// name and otherwise unchanged; the old names stay for programs built before. Each is defined here
// once more, hidden, and calls the old name. So does then all of the addon, the parts of libstdc++
// linked into it included, which were compiled long before us. Where libpthread and libdl are still
// libraries of their own they are in the process already: Node itself links them.
//
// Only in the addon: in test programs it would come between them and their sanitizer.
// native/CMakeLists.txt leaves it out where it does not apply; test/package/elf-floor.test.ts
// checks what comes of it.
#include <algorithm>
#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#define MILLRACE_OLD_VERSION "GLIBC_2.2.5"
#define MILLRACE_STAT_VERSION 1
#elif defined(__aarch64__)
#define MILLRACE_OLD_VERSION "GLIBC_2.17"
#define MILLRACE_STAT_VERSION 0
#else
#error "say here which version of glibc was the first on this processor"
#endif

#define MILLRACE_OLD_NAME(result, name, parameters)                           \
  __asm__(".symver millrace_old_" #name ", " #name "@" MILLRACE_OLD_VERSION); \
  extern "C" result millrace_old_##name parameters

#define MILLRACE_FORWARD(result, name, parameters, arguments)      \
  MILLRACE_OLD_NAME(result, name, parameters);                     \
  extern "C" [[gnu::visibility("hidden")]] result name parameters; \
  extern "C" result name parameters {                              \
    return millrace_old_##name arguments;                          \
  }

// Types as the binary interface has them: glibc's own headers would declare each function a second
// time, in another way.
MILLRACE_FORWARD(void*, dlopen, (const char* file, int mode), (file, mode))
MILLRACE_FORWARD(void*, dlsym, (void* handle, const char* name), (handle, name))
MILLRACE_FORWARD(char*, dlerror, (), ())
MILLRACE_FORWARD(int, dlclose, (void* handle), (handle))
MILLRACE_FORWARD(int, dladdr, (const void* address, void* info), (address, info))
MILLRACE_FORWARD(int, dl_iterate_phdr, (int (*callback)(void*, unsigned long, void*), void* data),
                 (callback, data))
MILLRACE_FORWARD(int, pthread_create,
                 (unsigned long* thread, const void* attributes, void* (*start)(void*), void* data),
                 (thread, attributes, start, data))
MILLRACE_FORWARD(int, pthread_join, (unsigned long thread, void** result), (thread, result))
MILLRACE_FORWARD(int, pthread_detach, (unsigned long thread), (thread))
MILLRACE_FORWARD(int, pthread_once, (int* control, void (*routine)()), (control, routine))
MILLRACE_FORWARD(int, pthread_key_create, (unsigned int* key, void (*destroy)(void*)),
                 (key, destroy))
MILLRACE_FORWARD(int, __pthread_key_create, (unsigned int* key, void (*destroy)(void*)),
                 (key, destroy))
MILLRACE_FORWARD(int, pthread_key_delete, (unsigned int key), (key))
MILLRACE_FORWARD(void*, pthread_getspecific, (unsigned int key), (key))
MILLRACE_FORWARD(int, pthread_setspecific, (unsigned int key, const void* value), (key, value))
MILLRACE_FORWARD(int, pthread_mutex_trylock, (void* mutex), (mutex))
MILLRACE_FORWARD(int, pthread_rwlock_rdlock, (void* lock), (lock))
MILLRACE_FORWARD(int, pthread_rwlock_wrlock, (void* lock), (lock))
MILLRACE_FORWARD(int, pthread_rwlock_unlock, (void* lock), (lock))
MILLRACE_OLD_NAME(int, __xstat, (int version, const char* path, void* status));
MILLRACE_OLD_NAME(int, __fxstat64, (int version, int file, void* status));
MILLRACE_OLD_NAME(int, pthread_cond_timedwait, (void*, void*, const timespec*));
MILLRACE_OLD_NAME(int, clock_gettime, (int, timespec*));

// Functions of their own since glibc 2.33.
extern "C" [[gnu::visibility("hidden")]] int stat(const char* path, void* status) {
  return millrace_old___xstat(MILLRACE_STAT_VERSION, path, status);
}
extern "C" [[gnu::visibility("hidden")]] int fstat64(int file, void* status) {
  return millrace_old___fxstat64(MILLRACE_STAT_VERSION, file, status);
}

// Tells libstdc++, from glibc 2.32 on, that it may count references without atomic operations.
// Nobody says so to us: it may not.
extern "C" [[gnu::visibility("hidden")]] char __libc_single_threaded;
extern "C" {
char __libc_single_threaded = 0;
}

namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kLongestSlice = kNanosPerSecond / 10;

using ClockWait = int (*)(void*, void*, int, const timespec*);

std::int64_t nanos_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kNanosPerSecond + time.tv_nsec;
}

std::int64_t nanos_now(int clock) {
  timespec now{};
  millrace_old_clock_gettime(clock, &now);
  return nanos_of(now);
}

// Without the function, by the clock of the wall, a slice at a time: a waiter may be woken for no
// reason, and looks again, so that a clock that is set costs one slice.
int wait_in_slices(void* condition, void* mutex, int clock, const timespec* until) {
  const std::int64_t left = nanos_of(*until) - nanos_now(clock);
  const std::int64_t slice = std::clamp<std::int64_t>(left, 0, kLongestSlice);
  const std::int64_t end = nanos_now(CLOCK_REALTIME) + slice;
  const timespec slice_end{end / kNanosPerSecond, end % kNanosPerSecond};
  const int result = millrace_old_pthread_cond_timedwait(condition, mutex, &slice_end);
  return left > slice ? 0 : result;
}

}  // namespace

// Since glibc 2.30.
extern "C" [[gnu::visibility("hidden")]] int pthread_cond_clockwait(void* condition, void* mutex,
                                                                    int clock,
                                                                    const timespec* until) {
  static const auto known =
      reinterpret_cast<ClockWait>(millrace_old_dlsym(nullptr, "pthread_cond_clockwait"));
  if (known != nullptr) return known(condition, mutex, clock, until);
  return wait_in_slices(condition, mutex, clock, until);
}
