// The load of the measurements. Every request is a POST of JSON with a head of about 400 bytes; connection N begins with user
// N + a start that differs from run to run, and goes on by CONNECTIONS, round the USERS. Prints one line of JSON, its own processor time in it.
//   load post    PORT TARGET KEY CONNECTIONS SECONDS USERS BODY   each connection asks, waits for the answer, asks again
//   load connect PORT TARGET KEY CONNECTIONS SECONDS USERS BODY   the same, with a new connection for each request
//   load crowd   PORT TARGET KEY CLIENTS SECONDS USERS BODY THINK PATIENCE
//                    clients that ask, think for THINK ms behind the answer, ask again; who has none after PATIENCE ms closes, thinks, connects anew
//   load events  PORT TARGET KEY STREAMS                          each reads one event stream to its end; delays of the events
//   load idle    PORT TARGET KEY CONNECTIONS                      opens them, one request on each, prints, holds until its input ends
//   load streams PORT TARGET KEY CONNECTIONS                      opens them, an event on each, prints, holds until its input ends
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
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SPACE = 4096, SCRATCH = 1 << 18, SAMPLES = 1 << 22 };

struct connection { int fd, user, streams; size_t held, left; long long sent; char bytes[SPACE + 1]; };
static int port, users = 32, poll;
static const char *target, *key;
static char *request, *digits, scratch[SCRATCH];    // one request for all; the user's digits in it are set before each sending
static size_t request_size;
static long long *samples, taken;

static void fail(const char *why) { fprintf(stderr, "load: %s\n", why); exit(1); }

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long processor(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void make_request(int body) {
    request = malloc(2048 + body);
    int head = snprintf(request, 2048,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json, text/event-stream\r\nAccept-Encoding: gzip, deflate\r\n"
        "User-Agent: python-httpx2/2.16.2\r\nx-api-key: %s\r\nx-user-email: user00000@acme.com\r\nContent-Type: application/json\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: whoami\r\nContent-Length: %d\r\n\r\n",
        target, port, key, body);
    digits = strstr(request, "x-user-email: user") + 18;
    const char *start = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"whoami\",\"arguments\":{\"text\":\"";
    memset(request + head, 'y', body);
    memcpy(request + head, start, strlen(start));
    memcpy(request + head + body - 4, "\"}}}", 4);
    request_size = head + body;
}

static void open_connection(struct connection *c) {
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) fail("no more descriptors: raise the limit (ulimit -n)");
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) { perror("load: connect"); exit(1); }
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void watch(struct connection *c) {
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
}

static void send_request(struct connection *c, int step) {
    for (int place = 4, number = c->user; place >= 0; place--, number /= 10) digits[place] = '0' + number % 10;
    c->user = (c->user + step) % users;
    c->held = c->left = 0;
    c->sent = now();
    for (size_t written = 0; written < request_size;) {
        ssize_t count = write(c->fd, request + written, request_size - written);
        if (count <= 0) fail("the connection was closed while a request was sent");
        written += count;
    }
}

// The bytes of the head that is whole, of an answer of 200; 0 where it is not.
static size_t head(struct connection *c) {
    c->bytes[c->held] = 0;
    char *stop = memmem(c->bytes, c->held, "\r\n\r\n", 4);
    if (!stop) return 0;
    if (memcmp(c->bytes + 9, "200", 3)) { fprintf(stderr, "%.*s\n", (int)c->held, c->bytes); fail("not 200"); }
    return stop + 4 - c->bytes;
}

static size_t fill(struct connection *c) {
    ssize_t count = read(c->fd, c->bytes + c->held, SPACE - c->held);
    if (count < 0) fail("reading failed");
    c->held += count;
    return count;
}

// Whether the whole answer, which has a Content-Length, is there now.
static int receive(struct connection *c) {
    if (c->left) {
        ssize_t count = read(c->fd, scratch, c->left < SCRATCH ? c->left : SCRATCH);
        if (count <= 0) fail("the connection was closed within an answer");
        return !(c->left -= count);
    }
    if (!fill(c)) fail("the connection was closed before an answer");
    size_t size = head(c);
    if (!size) return 0;
    char *field = strcasestr(c->bytes, "\r\ncontent-length:");
    if (!field || field > c->bytes + size) fail("no Content-Length");
    c->left = strtoul(field + 17, NULL, 10) - (c->held - size);
    return !c->left;
}

static int ascending(const void *a, const void *b) {
    long long left = *(const long long *)a, right = *(const long long *)b;
    return (left > right) - (left < right);
}

static void note(long long sample) { if (taken < SAMPLES) samples[taken++] = sample; }

static void report(const char *what, long long count, long long began, long long spent) {
    long long wall = now() - began, cpu = processor() - spent;
    qsort(samples, taken, sizeof *samples, ascending);
    printf("{\"%s\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld", what, count, wall, cpu);
    const struct { const char *name; double part; } quantiles[] = { { "p50_us", 0.5 }, { "p99_us", 0.99 }, { "max_us", 1 } };
    for (int i = 0; i < 3; i++) printf(", \"%s\": %.2f", quantiles[i].name, taken ? samples[(long long)(quantiles[i].part * (taken - 1))] / 1000.0 : 0);
    printf("}\n");
}

static struct connection *make(int count) {
    struct connection *all = calloc(count, sizeof *all);
    int start = now() / 1000 % users;
    for (int i = 0; i < count; i++) all[i].user = (start + i) % users;
    return all;
}

static void ask(int count, double seconds, int anew) {
    struct connection *all = make(count);
    long long began = now(), spent = processor(), stop = began + (long long)(seconds * 1e9), requests = 0;
    for (int i = 0; i < count; i++) {
        open_connection(&all[i]);
        watch(&all[i]);
        send_request(&all[i], count);
    }
    for (int waiting = count; waiting;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 10000);
        if (ready == 0) fail("no answer in ten seconds");
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            requests++;
            long long time = now();
            note(time - c->sent);
            if (anew) close(c->fd);
            if (time >= stop) { waiting--; continue; }
            if (anew) {
                long long opened = now();
                open_connection(c);
                watch(c);
                send_request(c, count);
                c->sent = opened;
            } else send_request(c, count);
        }
    }
    report("requests", requests, began, spent);
}

// Of a client of the crowd: nothing to do before `due`, when it asks or gives up. Those due in one millisecond are a list.
struct client { struct connection c; long long due; struct client *next, **at; enum { THINKING, CONNECTING, ASKING } state; };
enum { WHEEL = 8192 };      // milliseconds: more than any thinks or waits
static struct client *wheel[WHEEL];

static void leave_wheel(struct client *one) {
    if (!one->at) return;
    if ((*one->at = one->next)) one->next->at = one->at;
    one->at = NULL;
}

static void be_due(struct client *one, long long time) {
    leave_wheel(one);
    one->due = time;
    struct client **slot = &wheel[time / 1000000 % WHEEL];
    if ((one->next = *slot)) one->next->at = &one->next;
    *(one->at = slot) = one;
}

static void hang_up(struct client *one) {
    if (one->c.fd >= 0) close(one->c.fd);
    one->c.fd = -1;
}

// What has come: 200 or another status where an answer is whole, 0 where more is to come, -1 where none will.
static int crowd_receive(struct connection *c) {
    for (;;) {
        ssize_t count = c->left ? read(c->fd, scratch, c->left < SCRATCH ? c->left : SCRATCH) : read(c->fd, c->bytes + c->held, SPACE - c->held);
        if (count < 0) return errno == EAGAIN ? 0 : -1;
        if (!count) return -1;
        if (c->left) c->left -= count;
        else {
            c->bytes[c->held += count] = 0;
            char *stop = strstr(c->bytes, "\r\n\r\n"), *field = strcasestr(c->bytes, "\r\ncontent-length:");
            if (!stop) { if (c->held == SPACE) return -1; continue; }
            if (!field || field > stop) return -1;
            c->left = strtoul(field + 17, NULL, 10) - (c->held - (stop + 4 - c->bytes));
        }
        if (!c->left) return atoi(c->bytes + 9);
    }
}

static void crowd_ask(struct client *one, int step) {
    struct connection *c = &one->c;
    for (int place = 4, number = c->user; place >= 0; place--, number /= 10) digits[place] = '0' + number % 10;
    c->user = (c->user + step) % users;
    c->held = c->left = 0;
    one->state = ASKING;
    // A request is a fraction of what a socket takes at once.
    if (write(c->fd, request, request_size) != (ssize_t)request_size) hang_up(one);
}

static void crowd(int count, double seconds, double think, double patience) {
    struct client *all = calloc(count, sizeof *all);
    long long pause = think * 1e6, longest = patience * 1e6; long long began = now(), warm = began + 1000000000ll + 2 * (pause + longest), stop = warm + (long long)(seconds * 1e9);
    long long good = 0, late = 0, refused = 0, broken = 0, spent = 0, tick = began / 1000000;
    for (int i = 0; i < count; i++) {
        all[i].c.fd = -1;
        all[i].c.user = i % users;
        be_due(&all[i], began + 1000000 + pause * i / count);
    }
    for (long long time = began; time < stop; time = now()) {
        if (time >= warm && !spent) spent = processor();
        for (; tick <= time / 1000000; tick++) for (struct client *one = wheel[tick % WHEEL], *next; one; one = next) {
            next = one->next;
            if (one->due / 1000000 != tick) continue;
            leave_wheel(one);
            if (one->state != THINKING) {
                if (time >= warm) late++;
                hang_up(one);
                one->state = THINKING;
                be_due(one, time + pause);
                continue;
            }
            one->c.sent = time;
            be_due(one, time + longest);
            if (one->c.fd >= 0) { crowd_ask(one, count); continue; }
            one->c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (one->c.fd < 0) fail("no more descriptors: raise the limit (ulimit -n)");
            int on = 1;
            setsockopt(one->c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
            struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = one };
            one->state = CONNECTING;
            if (connect(one->c.fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) hang_up(one);
            else epoll_ctl(poll, EPOLL_CTL_ADD, one->c.fd, &event);
        }
        struct epoll_event events[512];
        int ready = epoll_wait(poll, events, 512, 1);
        for (int i = 0; i < ready; i++) {
            struct client *one = events[i].data.ptr;
            if (one->c.fd < 0) continue;
            if (one->state == CONNECTING && events[i].events & EPOLLOUT && !(events[i].events & (EPOLLERR | EPOLLHUP))) crowd_ask(one, count);
            int status = events[i].events & (EPOLLERR | EPOLLHUP) ? -1 : events[i].events & EPOLLIN ? crowd_receive(&one->c) : 0;
            if (!status) continue;
            long long answered = now();
            if (one->state == ASKING && status > 0) {
                if (answered >= warm) {
                    if (status == 200) { good++; note(answered - one->c.sent); } else refused++;
                }
            } else {
                if (one->state != THINKING && answered >= warm) broken++;
                hang_up(one);
            }
            if (one->state != THINKING) be_due(one, answered + pause);
            one->state = THINKING;
        }
    }
    long long wall = now() - warm, cpu = processor() - spent;
    qsort(samples, taken, sizeof *samples, ascending);
    printf("{\"requests\": %lld, \"late\": %lld, \"refused\": %lld, \"broken\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
        good, late, refused, broken, wall, cpu, taken ? samples[taken / 2] / 1000.0 : 0, taken ? samples[taken * 99 / 100] / 1000.0 : 0);
}

// Takes the events out of what has arrived; false where the stream has ended.
static int take_events(struct connection *c) {
    size_t count = fill(c);
    long long arrived = now();
    if (!count) return 0;
    if (!c->streams) {
        size_t size = head(c);
        if (!size) return 1;
        memmove(c->bytes, c->bytes + size, c->held -= size);
        c->streams = 1;
    }
    c->bytes[c->held] = 0;
    char *at = c->bytes, *event, *stop;
    while ((event = strstr(at, "data: ")) && (stop = strstr(event, "\n\n"))) {
        note(arrived - atoll(event + 6));
        at = stop + 2;
    }
    memmove(c->bytes, at, (c->held -= at - c->bytes) + 1);
    return !strstr(c->bytes, "\r\n0\r\n\r\n") && strncmp(c->bytes, "0\r\n\r\n", 5);
}

static void events(int count) {
    struct connection *all = make(count);
    long long began = now(), spent = processor();
    for (int i = 0; i < count; i++) {
        open_connection(&all[i]);
        watch(&all[i]);
        send_request(&all[i], count);
        usleep(700);    // so that the streams' beats do not fall together
    }
    for (int waiting = count; waiting;) {
        struct epoll_event ready[256];
        int number = epoll_wait(poll, ready, 256, 10000);
        if (number == 0) fail("no event in ten seconds");
        for (int i = 0; i < number; i++) {
            struct connection *c = ready[i].data.ptr;
            if (take_events(c)) continue;
            close(c->fd);
            waiting--;
        }
    }
    if (!taken) fail("no events");
    report("events", taken, began, spent);
}

// Opened sixty-four at a time; what is kept of each is its descriptor alone.
static void hold(int count, int streams) {
    struct connection *some = make(64);
    for (int opened = 0; opened < count; opened += 64) {
        int number = count - opened < 64 ? count - opened : 64;
        for (int i = 0; i < number; i++) {
            some[i].streams = 0;
            open_connection(&some[i]);
            send_request(&some[i], 64);
        }
        for (int i = 0; i < number; i++) {
            if (streams) for (long long before = taken; taken == before;) { if (!take_events(&some[i])) fail("a stream ended"); }
            else while (!receive(&some[i])) {}
        }
    }
    printf("{\"held\": %d}\n", count);
    fflush(stdout);
    while (getchar() != EOF) {}
}

int main(int count, char **arguments) {
    if (count < 6) { fprintf(stderr, "usage: load post|connect|crowd|events|idle|streams PORT TARGET KEY CONNECTIONS [SECONDS USERS BODY [THINK PATIENCE]]\n"); return 64; }
    signal(SIGPIPE, SIG_IGN);
    const char *mode = arguments[1];
    port = atoi(arguments[2]);
    target = arguments[3];
    key = arguments[4];
    int connections = atoi(arguments[5]), timed = count >= 9;
    if (timed) users = atoi(arguments[7]);
    make_request(timed ? atoi(arguments[8]) : 250);
    samples = malloc(SAMPLES * sizeof *samples);
    poll = epoll_create1(0);
    if (!strcmp(mode, "post") && timed) ask(connections, atof(arguments[6]), 0);
    else if (!strcmp(mode, "connect") && timed) ask(connections, atof(arguments[6]), 1);
    else if (!strcmp(mode, "crowd") && count == 11) crowd(connections, atof(arguments[6]), atof(arguments[9]), atof(arguments[10]));
    else if (!strcmp(mode, "events")) events(connections);
    else if (!strcmp(mode, "idle")) hold(connections, 0);
    else if (!strcmp(mode, "streams")) hold(connections, 1);
    else fail("unknown mode");
}
