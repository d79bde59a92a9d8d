// The system's headers for Kernel; macros that Swift cannot read as functions. No logic.
#ifndef CLAVIGER_CLINUX_H
#define CLAVIGER_CLINUX_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// GNU declarations, named here one by one: with _GNU_SOURCE the headers would differ from those of Swift's Glibc module.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int pthread_setname_np(pthread_t, const char *);
struct claviger_ucred { pid_t pid; uid_t uid; gid_t gid; };

static inline int claviger_errno(void) { return errno; }

#endif
