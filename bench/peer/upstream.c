// The upstream of the measurements: one thread, one epoll, keep-alive, a fixed answer of 300 bytes to every POST.
// A request whose target ends in "/events" gets an event stream instead: COUNT events, one every PAUSE_MS, each carrying
// the monotonic clock in nanoseconds at which it was written. Usage: upstream PORT [COUNT PAUSE_MS]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 65536, SPACE = 16384 };

struct connection { char *bytes; size_t length; int streams, left; };
static struct connection connections[SLOTS];
static char answer[1024];
static size_t answer_length;
static int event_count = 1000, event_pause = 5;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void end(int fd) {
    free(connections[fd].bytes);
    memset(&connections[fd], 0, sizeof connections[fd]);
    close(fd);
}

// The length of the complete request at the start of the bytes; 0 = not yet.
static size_t complete(struct connection *c) {
    c->bytes[c->length] = 0;
    char *stop = strstr(c->bytes, "\r\n\r\n");
    if (!stop) return 0;
    char *field = strcasestr(c->bytes, "\r\ncontent-length:");
    size_t body = field && field < stop ? strtoul(field + 17, NULL, 10) : 0;
    size_t whole = (size_t)(stop + 4 - c->bytes) + body;
    return c->length >= whole ? whole : 0;
}

static void send_event(int fd) {
    char line[128], chunk[192];
    int size = snprintf(line, sizeof line, "data: %lld\n\n", now());
    int length = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n%s", size, line, connections[fd].left == 1 ? "0\r\n\r\n" : "");
    if (write(fd, chunk, length) != length) { end(fd); return; }
    if (--connections[fd].left == 0) connections[fd].streams = 0;
}

static void readable(int fd) {
    struct connection *c = &connections[fd];
    if (!c->bytes) c->bytes = malloc(SPACE + 1);
    for (;;) {
        ssize_t count = read(fd, c->bytes + c->length, SPACE - c->length);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) { end(fd); return; }
        c->length += count;
        size_t whole;
        while ((whole = complete(c))) {
            char *target_end = strstr(c->bytes, " HTTP/1.1");
            if (target_end && target_end - c->bytes > 7 && !memcmp(target_end - 7, "/events", 7)) {
                const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                if (write(fd, head, strlen(head)) < 0) { end(fd); return; }
                c->streams = 1;
                c->left = event_count;
            } else if (write(fd, answer, answer_length) != (ssize_t)answer_length) { end(fd); return; }
            c->length -= whole;
            memmove(c->bytes, c->bytes + whole, c->length);
        }
        if (c->length == SPACE) { end(fd); return; }
        return;
    }
}

int main(int count, char **arguments) {
    if (count < 2) { fprintf(stderr, "usage: upstream PORT [COUNT PAUSE_MS]\n"); return 64; }
    if (count == 4) { event_count = atoi(arguments[2]); event_pause = atoi(arguments[3]); }
    signal(SIGPIPE, SIG_IGN);
    char body[301];
    int prefix = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"");
    memset(body + prefix, 'x', 300 - prefix);
    memcpy(body + 300 - 5, "\"}]}}", 5);
    answer_length = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 00:00:00 GMT\r\nserver: upstream\r\n"
        "content-type: application/json\r\ncontent-length: 300\r\n\r\n%.300s", body);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("upstream"); return 1; }
    int poll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec every = { .it_interval = { event_pause / 1000, event_pause % 1000 * 1000000l }, .it_value = { 0, 1000000 } };
    timerfd_settime(timer, 0, &every, NULL);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = timer;
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int accepted;
                while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (accepted >= SLOTS) { close(accepted); continue; }
                    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    struct epoll_event added = { .events = EPOLLIN, .data.fd = accepted };
                    epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &added);
                }
            } else if (fd == timer) {
                unsigned long long ticks;
                if (read(timer, &ticks, sizeof ticks) < 0) continue;
                for (int slot = 0; slot < 4096; slot++) if (connections[slot].streams) send_event(slot);
            } else readable(fd);
        }
    }
}
