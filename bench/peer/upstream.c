// The upstream of the measurements: one thread, one epoll, keep-alive. What a request is answered with stands in its query:
//   nothing            300 bytes of JSON
//   bytes=N            N bytes of JSON
//   echo=1             the request's head as it arrived here, as the body
//   events=N&pause=MS  an event stream of N events, each carrying the monotonic clock in nanoseconds at which it was written
//   hold=1             an event stream of one event that then stays open
// Usage: upstream PORT
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

enum { SLOTS = 65536, SPACE = 1 << 18, HEAD = 16384, SIZES = 8, SMALL = 300 };

struct answer { size_t size, length; char *bytes; };
struct connection {
    char *kept; size_t kept_length;                 // of a head that has not wholly arrived
    size_t body_left;                               // of the request
    struct answer *answer; size_t answered;         // what is being written, and how far
    int owns_answer, waits;
    int events, hold; long long pause, due;         // of the stream
};
static struct connection connections[SLOTS];
static struct answer answers[SIZES];
static char space[SPACE];
static int epoll, timer, emitters[SLOTS], emitting;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void watch(int fd, int how, unsigned events) {
    struct epoll_event event = { .events = events, .data.fd = fd };
    epoll_ctl(epoll, how, fd, &event);
}

static void forget(struct answer *answer) { free(answer->bytes); free(answer); }

static void end(int fd) {
    struct connection *c = &connections[fd];
    for (int i = 0; i < emitting; i++) if (emitters[i] == fd) { emitters[i] = emitters[--emitting]; break; }
    if (c->owns_answer) forget(c->answer);
    free(c->kept);
    memset(c, 0, sizeof *c);
    close(fd);
}

static struct answer *answer_of(size_t size) {
    struct answer *answer = answers;
    while (answer->bytes && answer->size != size) if (++answer == answers + SIZES) return NULL;
    if (answer->bytes) return answer;
    answer->size = size;
    answer->bytes = malloc(size + 256);
    int head = sprintf(answer->bytes, "HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 00:00:00 GMT\r\nserver: upstream\r\n"
        "content-type: application/json\r\ncontent-length: %zu\r\n\r\n", size);
    memset(answer->bytes + head, 'x', size);
    const char *start = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"";
    memcpy(answer->bytes + head, start, strlen(start));
    memcpy(answer->bytes + head + size - 5, "\"}]}}", 5);
    answer->length = head + size;
    return answer;
}

static struct answer *echo_of(const char *head, size_t size) {
    struct answer *answer = calloc(1, sizeof *answer);
    answer->bytes = malloc(size + 128);
    int own = sprintf(answer->bytes, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %zu\r\n\r\n", size);
    memcpy(answer->bytes + own, head, size);
    answer->length = own + size;
    return answer;
}

// Writes what is left of the answer; false where the connection is gone.
static int go_on(int fd) {
    struct connection *c = &connections[fd];
    while (c->answered < c->answer->length) {
        ssize_t count = write(fd, c->answer->bytes + c->answered, c->answer->length - c->answered);
        if (count < 0 && errno == EAGAIN) {
            if (!c->waits) watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return c->waits = 1;
        }
        if (count < 0) { end(fd); return 0; }
        c->answered += count;
    }
    if (c->waits) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    if (c->owns_answer) forget(c->answer);
    c->answer = NULL;
    c->answered = c->owns_answer = c->waits = 0;
    return 1;
}

static int send_event(int fd) {
    struct connection *c = &connections[fd];
    char line[64], chunk[128];
    int last = c->events == 1 && !c->hold;
    int size = snprintf(line, sizeof line, "data: %lld\n\n", now());
    int length = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n%s", size, line, last ? "0\r\n\r\n" : "");
    if (write(fd, chunk, length) != length) { end(fd); return 0; }
    c->events--;
    return 1;
}

static int stream(int fd) {
    struct connection *c = &connections[fd];
    const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    if (write(fd, head, strlen(head)) < 0) { end(fd); return 0; }
    if (c->hold) return send_event(fd);
    c->due = now() + c->pause;
    emitters[emitting++] = fd;
    return 1;
}

static long number(const char *query, const char *name) {
    const char *found = query ? strstr(query, name) : NULL;
    return found ? atol(found + strlen(name)) : 0;
}

// A request's head is whole: decides on the answer. The head ends in NUL here.
static void begin(struct connection *c, char *head, size_t size) {
    char *field = strcasestr(head, "\r\ncontent-length:"), *line = strstr(head, "\r\n"), *query = memchr(head, '?', line - head);
    c->body_left = field ? strtoul(field + 17, NULL, 10) : 0;
    char asked[256] = "";
    if (query) snprintf(asked, sizeof asked, "%.*s", (int)(line - query), query);
    long bytes = number(asked, "bytes=");
    c->hold = number(asked, "hold=") > 0;
    c->events = c->hold ? 1 : number(asked, "events=");
    c->pause = number(asked, "pause=") * 1000000;
    if (c->events) return;
    c->owns_answer = number(asked, "echo=") > 0;
    c->answer = c->owns_answer ? echo_of(head, size) : answer_of(bytes > SMALL ? bytes : SMALL);
}

static void readable(int fd) {
    struct connection *c = &connections[fd];
    size_t length = c->kept_length, at = 0;
    if (length) { memcpy(space, c->kept, length); free(c->kept); c->kept = NULL; c->kept_length = 0; }
    ssize_t count = read(fd, space + length, SPACE - 1 - length);
    if (count < 0 && errno == EAGAIN) count = 0;
    else if (count <= 0) { end(fd); return; }
    length += count;
    for (;;) {
        if (!c->answer && !c->events) {
            char *stop = memmem(space + at, length - at, "\r\n\r\n", 4);
            if (!stop) break;
            char next = stop[4];
            stop[4] = 0;
            begin(c, space + at, stop + 4 - (space + at));
            stop[4] = next;
            at = stop + 4 - space;
        }
        size_t now_here = length - at < c->body_left ? length - at : c->body_left;
        c->body_left -= now_here;
        at += now_here;
        if (c->body_left) return;
        if (!(c->events ? stream(fd) : go_on(fd)) || c->answer || c->events) return;
    }
    if (at == length) return;
    if (length - at > HEAD) { end(fd); return; }
    c->kept_length = length - at;
    c->kept = malloc(c->kept_length);
    memcpy(c->kept, space + at, c->kept_length);
}

static void tick(void) {
    unsigned long long ticks;
    if (read(timer, &ticks, sizeof ticks) < 0) return;
    long long time = now();
    for (int i = emitting - 1; i >= 0; i--) {
        int fd = emitters[i];
        if (connections[fd].due > time) continue;
        connections[fd].due += connections[fd].pause;
        if (send_event(fd) && connections[fd].events == 0) emitters[i] = emitters[--emitting];
    }
}

static void arm(int on) {
    struct itimerspec every = { .it_interval = { 0, on ? 1000000 : 0 }, .it_value = { 0, on ? 1000000 : 0 } };
    timerfd_settime(timer, 0, &every, NULL);
}

int main(int count, char **arguments) {
    if (count != 2) { fprintf(stderr, "usage: upstream PORT\n"); return 64; }
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, armed = 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("upstream"); return 1; }
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    watch(timer, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int accepted;
                while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (accepted >= SLOTS) { close(accepted); continue; }
                    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    watch(accepted, EPOLL_CTL_ADD, EPOLLIN);
                }
            } else if (fd == timer) tick();
            else if (connections[fd].answer && !connections[fd].body_left && events[i].events & EPOLLOUT) go_on(fd);
            else readable(fd);
        }
        if (!emitting != !armed) arm(armed = emitting > 0);
    }
}
