// The load of the measurements: keep-alive connections that each send a POST of 250 bytes (head about 400) and wait.
// Connection N speaks for userN@acme.com. Prints one line of JSON.
//   load post   PORT PATH KEY CONNECTIONS SECONDS   {"requests", "p50_us", "p99_us"}
//   load events PORT PATH KEY                       {"events", "median_us", "p99_us"}: delay of each event of one stream
//   load idle   PORT PATH KEY CONNECTIONS           opens them, one request on each, prints, holds until its input ends
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { SPACE = 8192, SAMPLES = 1 << 22 };

struct connection { int fd; char request[2048]; size_t size; char bytes[SPACE + 1]; size_t length; long long sent; };
static int port;
static const char *path, *key;
static int *samples;
static size_t taken;

static void fail(const char *why) { fprintf(stderr, "load: %s\n", why); exit(1); }

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void open_connection(struct connection *c, int number) {
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char body[251];
    int prefix = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"whoami\",\"arguments\":{\"text\":\"");
    memset(body + prefix, 'y', 250 - prefix);
    memcpy(body + 250 - 4, "\"}}}", 4);
    body[250] = 0;
    c->size = snprintf(c->request, sizeof c->request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json, text/event-stream\r\nAccept-Encoding: gzip, deflate\r\n"
        "User-Agent: python-httpx2/2.16.2\r\nx-api-key: %s\r\nx-user-email: user%d@acme.com\r\nContent-Type: application/json\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: whoami\r\nContent-Length: 250\r\n\r\n%s",
        path, port, key, number, body);
}

static void send_request(struct connection *c) {
    c->length = 0;
    c->sent = now();
    if (write(c->fd, c->request, c->size) != (ssize_t)c->size) fail("short write");
}

// Whether a whole answer of 200 with a Content-Length is there.
static int receive(struct connection *c) {
    ssize_t count = read(c->fd, c->bytes + c->length, SPACE - c->length);
    if (count <= 0) fail("the connection was closed");
    c->bytes[c->length += count] = 0;
    char *stop = strstr(c->bytes, "\r\n\r\n");
    if (!stop) return 0;
    if (memcmp(c->bytes + 9, "200", 3)) { fprintf(stderr, "%.*s\n", (int)c->length, c->bytes); fail("not 200"); }
    char *field = strcasestr(c->bytes, "\r\ncontent-length:");
    if (!field || field > stop) fail("no Content-Length");
    return c->length >= (size_t)(stop + 4 - c->bytes) + strtoul(field + 17, NULL, 10);
}

static int ascending(const void *a, const void *b) { return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b; }

static double quantile(double part) { return taken ? samples[(size_t)(part * (taken - 1))] / 1000.0 : 0; }

static void post(int count, double seconds) {
    struct connection *all = calloc(count, sizeof *all);
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        open_connection(&all[i], i);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
        send_request(&all[i]);
    }
    long long stop = now() + (long long)(seconds * 1e9), requests = 0;
    int waiting = count;
    while (waiting) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 10000);
        if (ready == 0) fail("no answer in ten seconds");
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            requests++;
            if (taken < SAMPLES) samples[taken++] = (int)(now() - c->sent);
            if (now() < stop) send_request(c); else waiting--;
        }
    }
    qsort(samples, taken, sizeof *samples, ascending);
    printf("{\"requests\": %lld, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", requests, quantile(0.5), quantile(0.99));
}

static void events(void) {
    static struct connection c;
    open_connection(&c, 0);
    send_request(&c);
    for (;;) {
        ssize_t count = read(c.fd, c.bytes + c.length, SPACE - c.length);
        long long arrived = now();
        if (count <= 0) break;
        c.bytes[c.length += count] = 0;
        char *at = c.bytes, *event;
        while ((event = strstr(at, "data: ")) && strstr(event, "\n\n")) {
            samples[taken++] = (int)(arrived - atoll(event + 6));
            at = strstr(event, "\n\n") + 2;
        }
        c.length -= at - c.bytes;
        memmove(c.bytes, at, c.length + 1);
        if (strstr(c.bytes, "0\r\n\r\n")) break;
    }
    if (!taken) fail("no events");
    qsort(samples, taken, sizeof *samples, ascending);
    printf("{\"events\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f}\n", taken, quantile(0.5), quantile(0.99));
}

static void idle(int count) {
    static struct connection c;
    for (int i = 0; i < count; i++) {
        open_connection(&c, i % 32);
        send_request(&c);
        while (!receive(&c)) {}
    }
    printf("{\"idle\": %d}\n", count);
    fflush(stdout);
    while (getchar() != EOF) {}
}

int main(int count, char **arguments) {
    if (count < 5) { fprintf(stderr, "usage: load post|events|idle PORT PATH KEY [CONNECTIONS [SECONDS]]\n"); return 64; }
    port = atoi(arguments[2]);
    path = arguments[3];
    key = arguments[4];
    samples = malloc(SAMPLES * sizeof *samples);
    if (!strcmp(arguments[1], "post") && count == 7) post(atoi(arguments[5]), atof(arguments[6]));
    else if (!strcmp(arguments[1], "events")) events();
    else if (!strcmp(arguments[1], "idle") && count == 6) idle(atoi(arguments[5]));
    else fail("unknown mode");
}
