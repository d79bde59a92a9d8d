// The floor of the measurements: a plain TCP relay. One thread, one edge-triggered epoll, one upstream connection for each
// client connection, no HTTP at all: what is read on one side is written on the other. Usage: relay PORT UPSTREAM_PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOTS = 65536, SPACE = 1 << 16 };

// One direction's end: what was read here and could not yet be written to the other side.
struct end { int other; char *kept; size_t kept_length; int connecting, unread; };
static struct end ends[SLOTS];
static char space[SPACE];
static int epoll;

static void drop(int fd) {
    int pair[] = { fd, ends[fd].other };
    for (int i = 0; i < 2; i++) {
        free(ends[pair[i]].kept);
        memset(&ends[pair[i]], 0, sizeof ends[0]);
        close(pair[i]);
    }
}

static void keep(int fd, const char *bytes, size_t length) {
    ends[fd].kept = malloc(length);
    memcpy(ends[fd].kept, bytes, length);
    ends[fd].kept_length = length;
}

// Reads `fd` until a short read and writes each piece to the other side; false where the pair is gone.
static int relay(int fd) {
    for (;;) {
        struct end *end = &ends[fd];
        if (end->kept_length || ends[end->other].connecting) { end->unread = 1; return 1; }
        ssize_t count = read(fd, space, SPACE);
        if (count < 0 && errno == EAGAIN) { end->unread = 0; return 1; }
        if (count <= 0) { drop(fd); return 0; }
        ssize_t written = write(end->other, space, count);
        if (written < 0 && errno != EAGAIN) { drop(fd); return 0; }
        if (written < 0) written = 0;
        if (written < count) keep(fd, space + written, count - written);
        if (count < SPACE) { end->unread = 0; return 1; }
    }
}

// `fd` can be written: what the other side kept for it goes first, then what stands unread there.
static int writable(int fd) {
    struct end *from = &ends[ends[fd].other];
    ends[fd].connecting = 0;
    if (from->kept_length) {
        ssize_t written = write(fd, from->kept, from->kept_length);
        if (written < 0 && errno != EAGAIN) { drop(fd); return 0; }
        if (written < 0) return 1;
        from->kept_length -= written;
        if (from->kept_length) { memmove(from->kept, from->kept + written, from->kept_length); return 1; }
        free(from->kept);
        from->kept = NULL;
    }
    return from->unread ? relay(ends[fd].other) : 1;
}

static void watch(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd };
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void begin(int client, struct sockaddr_in *upstream) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || fd >= SLOTS || client >= SLOTS) { if (fd >= 0) close(fd); close(client); return; }
    if (connect(fd, (struct sockaddr *)upstream, sizeof *upstream) && errno != EINPROGRESS) { close(fd); close(client); return; }
    ends[client] = (struct end){ .other = fd };
    ends[fd] = (struct end){ .other = client, .connecting = 1 };
    watch(fd);
    watch(client);
}

int main(int count, char **arguments) {
    if (count != 3) { fprintf(stderr, "usage: relay PORT UPSTREAM_PORT\n"); return 64; }
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in upstream = address;
    upstream.sin_port = htons(atoi(arguments[2]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("relay"); return 1; }
    epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int accepted;
                while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) begin(accepted, &upstream);
                continue;
            }
            // A pair that ended earlier in this turn has no other side any more; its numbers are taken anew only by an accept.
            if (!ends[fd].other) continue;
            if (events[i].events & EPOLLOUT && !writable(fd)) continue;
            if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) relay(fd);
        }
    }
}
