// What a process takes from its machine without being asked: time, entropy,
// waiting and threads. A process that is started with HANGRAFT_SIMULATED_SEED
// gets them from here instead, and two such processes with one seed do the same.
//
//   clock      stands still until clock_settime moves it; CLOCK_MONOTONIC and
//              CLOCK_REALTIME are kept apart
//   entropy    a stream of numbers from the seed
//   waiting    whoever waits for a futex, as std and tokio do, is told at once that
//              the time is over; until when it wanted to wait is what
//              CLOCK_BOOTTIME_ALARM says. That is how the world learns when a runtime
//              wants to be looked at again.
//   threads    abort: what a second thread does is not repeatable
//
// Without the variable everything goes to the real thing. C, because these
// symbols have to stand before the C library's, which in Rust is `unsafe`. The
// Rust side speaks with this file through the safe wrappers of clock_settime and
// clock_gettime alone (clock.rs).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NANOS 1000000000ull

static int simulated;
static uint64_t entropy, monotonic, realtime, alarm_at;

static long (*real_syscall)(long, ...);
static int (*real_pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

__attribute__((constructor)) static void begin(void) {
  real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  real_pthread_create = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))
      dlsym(RTLD_NEXT, "pthread_create");
  const char *seed = getenv("HANGRAFT_SIMULATED_SEED");
  if (seed) {
    entropy = strtoull(seed, NULL, 10);
    simulated = 1;
  }
}

static void give_up(const char *why) {
  void *frames[64];
  if (write(2, why, strlen(why)) > 0) backtrace_symbols_fd(frames, backtrace(frames, 64), 2);
  abort();
}

// Steele, Lea and Flood: Fast splittable pseudorandom number generators (2014).
static uint64_t draw(void) {
  uint64_t z = (entropy += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags) {
  // Before `begin`, the C library may ask for itself.
  if (!simulated) return real_syscall ? real_syscall(SYS_getrandom, buffer, length, flags) : -1;
  for (size_t at = 0; at < length; at += 8) {
    uint64_t bits = draw();
    memcpy((char *)buffer + at, &bits, length - at < 8 ? length - at : 8);
  }
  return (ssize_t)length;
}

int getentropy(void *buffer, size_t length) {
  if (length > 256) {
    errno = EIO;
    return -1;
  }
  return getrandom(buffer, length, 0) == (ssize_t)length ? 0 : -1;
}

// The only thread there is waits: nobody can wake it but the world.
static long wait_on_futex(const struct timespec *until) {
  if (!until) give_up("a simulated process waits without an end:\n");
  alarm_at = (uint64_t)until->tv_sec * NANOS + (uint64_t)until->tv_nsec;
  errno = ETIMEDOUT;
  return -1;
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
  long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  if (simulated && number == SYS_getrandom) return getrandom((void *)a, (size_t)b, (unsigned)c);
  if (simulated && number == SYS_futex) {
    int operation = (int)b & FUTEX_CMD_MASK;
    // Rust's standard library waits with absolute times.
    if (operation == FUTEX_WAIT_BITSET) return wait_on_futex((const struct timespec *)d);
    if (operation == FUTEX_WAKE) return 0;
  }
  return real_syscall(number, a, b, c, d, e, f);
}

int clock_gettime(clockid_t id, struct timespec *time) {
  if (!simulated) return (int)(real_syscall ? real_syscall(SYS_clock_gettime, id, time) : -1);
  uint64_t now = monotonic;
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) now = realtime;
  if (id == CLOCK_BOOTTIME_ALARM) now = alarm_at;
  time->tv_sec = (time_t)(now / NANOS);
  time->tv_nsec = (long)(now % NANOS);
  return 0;
}

int clock_settime(clockid_t id, const struct timespec *time) {
  if (!simulated) return (int)real_syscall(SYS_clock_settime, id, time);
  uint64_t now = (uint64_t)time->tv_sec * NANOS + (uint64_t)time->tv_nsec;
  if (id == CLOCK_REALTIME) realtime = now;
  else if (id == CLOCK_BOOTTIME_ALARM) alarm_at = now;
  else monotonic = now;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec time;
  if (clock_gettime(CLOCK_REALTIME, &time) != 0) return -1;
  now->tv_sec = time.tv_sec;
  now->tv_usec = (suseconds_t)(time.tv_nsec / 1000);
  return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
  if (simulated) give_up("a simulated process starts a thread:\n");
  return real_pthread_create(thread, attributes, run, argument);
}
