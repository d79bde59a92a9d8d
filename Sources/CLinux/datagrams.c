#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/uio.h>

int claviger_send_each(int descriptor, const struct iovec *pieces, unsigned count) {
    struct mmsghdr messages[64] = {0};
    if (count > 64) count = 64;
    for (unsigned at = 0; at < count; at++) {
        messages[at].msg_hdr.msg_iov = (struct iovec *)&pieces[at];
        messages[at].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(descriptor, messages, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}
