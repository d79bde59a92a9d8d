#include <stdint.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

int claviger_acknowledged_bytes(int descriptor, uint64_t *bytes) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    *bytes = info.tcpi_bytes_acked;
    return 1;
}

int claviger_milliseconds_since_received(int descriptor, uint32_t *milliseconds, int *has_ended) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    *milliseconds = info.tcpi_last_data_recv;
    *has_ended = info.tcpi_state != 1;   // TCP_ESTABLISHED of netinet/tcp.h
    return 1;
}
