// The system's headers for Kernel; macros that Swift cannot read as functions. No logic.
#ifndef CLAVIGER_CLINUX_H
#define CLAVIGER_CLINUX_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// GNU declarations, named here one by one: with _GNU_SOURCE the headers would differ from those of Swift's Glibc module.
extern int pipe2(int[2], int);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int pthread_setname_np(pthread_t, const char *);
struct claviger_ucred { pid_t pid; uid_t uid; gid_t gid; };

static inline int claviger_errno(void) { return errno; }

// The kernel's tcp_info has more than glibc's, and the two headers exclude each other: 0 where it could not be asked for.
int claviger_acknowledged_bytes(int descriptor, uint64_t *bytes);
int claviger_milliseconds_since_received(int descriptor, uint32_t *milliseconds, int *has_ended);

// Each piece as a datagram of its own, 64 at most; glibc shows mmsghdr to GNU code alone. How many were sent, or -1.
int claviger_send_each(int descriptor, const struct iovec *pieces, unsigned count);

// Variadic functions, macros, and what shares its name with a structure: Swift cannot call these.
static inline int claviger_openat(int directory, const char *name, int flags, mode_t mode) { return openat(directory, name, flags, mode); }
static inline int claviger_fcntl(int descriptor, int command, int value) { return fcntl(descriptor, command, value); }
static inline int claviger_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }
static inline int claviger_flock(int descriptor, int operation) { return flock(descriptor, operation | LOCK_NB); }
static inline int claviger_prctl(int option, unsigned long value) { return prctl(option, value, 0ul, 0ul, 0ul); }
static inline int claviger_signal_default(int number) { return signal(number, SIG_DFL) == SIG_ERR ? -1 : 0; }
static inline int claviger_signal_ignore(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0; }
static inline int claviger_signal_is_default(int number) {
    struct sigaction action;
    return sigaction(number, 0, &action) == 0 && action.sa_handler == SIG_DFL;
}

#endif
