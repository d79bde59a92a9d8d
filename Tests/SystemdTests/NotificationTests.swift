import Kernel
import Testing

@testable import Systemd

@Suite struct NotificationTests {
    @Test func `each is written as the protocol has it`() {
        #expect(Notification.ready.text == "READY=1")
        #expect(Notification.stopping.text == "STOPPING=1")
        #expect(Notification.alive.text == "WATCHDOG=1")
        #expect(Notification.extendTimeout(.seconds(31)).text == "EXTEND_TIMEOUT_USEC=31000000")
        #expect(Notification.reloading(MonotonicTime(nanoseconds: 12_345_678)).text == "RELOADING=1\nMONOTONIC_USEC=12345")
    }

    @Test func `a status stays one line, whatever is in it`() {
        #expect(Notification.status("serving, 3 streams").text == "STATUS=serving, 3 streams")
        #expect(Notification.status("bad.yaml:1:2: no\r\nREADY=1\0é").text == "STATUS=bad.yaml:1:2: no  READY=1 é")
    }
}
