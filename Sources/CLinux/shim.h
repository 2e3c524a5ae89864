#ifndef SALLYPORT_CLINUX_SHIM_H
#define SALLYPORT_CLINUX_SHIM_H

// What the Glibc module does not export well: epoll (its event is a packed union), accept4, signalfd, socket options.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Declared only under _GNU_SOURCE, which would make these headers differ from the Glibc module's view of them.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

static inline int shim_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}
static inline int shim_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}
static inline int shim_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }
static inline uint64_t shim_epoll_data(const struct epoll_event *events, int index) { return events[index].data.u64; }
static inline uint32_t shim_epoll_events(const struct epoll_event *events, int index) { return events[index].events; }

static inline int shim_accept4(int fd, struct sockaddr_storage *address, socklen_t *length) {
  return accept4(fd, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int shim_set_int_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value);
}
// Reno, which every kernel has and lets everybody use.
static inline int shim_set_reno(int fd) { return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4); }
// recv, send and epoll_wait without glibc's thread cancellation, which nobody here uses and which costs two atomic writes a call.
// A negative result is -errno.
#if defined(__x86_64__)
static inline ssize_t shim_call6(long number, long a, long b, long c, long d, long e, long f) {
  ssize_t result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
static inline ssize_t shim_recv(int fd, void *bytes, size_t size) {
  return shim_call6(SYS_recvfrom, fd, (long)bytes, (long)size, 0, 0, 0);
}
static inline ssize_t shim_send(int fd, const void *bytes, size_t size) {
  return shim_call6(SYS_sendto, fd, (long)bytes, (long)size, MSG_NOSIGNAL, 0, 0);
}
static inline int shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
  return (int)shim_call6(SYS_epoll_wait, epoll, (long)events, capacity, milliseconds, 0, 0);
}
#else
static inline int shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
  int count = epoll_wait(epoll, events, capacity, milliseconds);
  return count < 0 ? -errno : count;
}
static inline ssize_t shim_recv(int fd, void *bytes, size_t size) {
  ssize_t result = recv(fd, bytes, size, 0);
  return result < 0 ? -errno : result;
}
static inline ssize_t shim_send(int fd, const void *bytes, size_t size) {
  ssize_t result = send(fd, bytes, size, MSG_NOSIGNAL);
  return result < 0 ? -errno : result;
}
#endif
static inline ssize_t shim_send2(int fd, const void *first, size_t first_size, const void *second, size_t second_size) {
  struct iovec parts[2] = {{(void *)first, first_size}, {(void *)second, second_size}};
  struct msghdr message = {.msg_iov = parts + (first_size == 0), .msg_iovlen = 2 - (first_size == 0)};
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}
static inline int shim_unsent_bytes(int fd) {
  int count = 0;
  return ioctl(fd, TIOCOUTQ, &count) < 0 ? 0 : count;
}
static inline void shim_fill_standard_descriptors(void) {
  // The lowest free number is the one that is missing. Where there is no /dev/null any file holds the place.
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) (void)open("/", O_RDONLY);
}
// Raises the soft limit to the hard one; returns what is in force.
static inline uint64_t shim_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : soft;
}
// How many columns the terminal at fd has; 0: it is none, or does not say.
static inline int shim_terminal_columns(int fd) {
  struct winsize size = {0};
  return ioctl(fd, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}
static inline int shim_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }
static inline void shim_set_zero_linger(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
static inline int shim_get_socket_error(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0 ? errno : value;
}
static inline int shim_start_thread(void *(*run)(void *), void *argument) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int code = pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  return code;
}
static inline void shim_set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
static inline int shim_write_v6(const struct sockaddr_storage *address, void *target, size_t size) {
  const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
  if (target == NULL || inet_ntop(AF_INET6, v6, (char *)target, (socklen_t)size) == NULL) return 0;
  return (int)strlen((const char *)target);
}
static inline int shim_open_append(const char *path) { return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); }
static inline int shim_write_private_file(const char *path, const void *bytes, size_t size, int mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return errno;
  fchmod(fd, mode);
  ssize_t written = write(fd, bytes, size);
  int code = written == (ssize_t)size ? 0 : errno;
  close(fd);
  return code;
}
// A descriptor that becomes readable with the signals a process is steered by; they are blocked for all threads.
static inline int shim_open_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGALRM);
  sigaddset(&set, SIGWINCH);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}
static inline int shim_read_signal(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
static inline void shim_drop_pages(uintptr_t start, size_t size) { madvise((void *)start, size, MADV_DONTNEED); }
static inline void shim_trim_memory(void) { malloc_trim(0); }
static inline int shim_affinity_count(void) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : (int)online;
}
extern char **environ;
static inline const char *shim_environment(int index) { return environ[index]; }
// Starts a program with default signals: this process blocks those that it reads as events.
static inline int shim_spawn(pid_t *child, const char *path, char *const *argv, char *const *envp) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int code = posix_spawn(child, path, NULL, &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  return code;
}
static inline int shim_look_up(const char *host, struct sockaddr_storage *address) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int code = getaddrinfo(host, NULL, &hints, &found);
  if (code != 0) return code;
  memcpy(address, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return 0;
}
static inline int shim_errno(void) { return errno; }
static inline int64_t shim_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
static inline int64_t shim_realtime_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
#endif
