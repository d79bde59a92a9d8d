// Addresses, blocks of them, and who stands behind trusted proxies.

import Gateway
import Kernel
import Testing

@Suite struct ClientAddressTests {
    @Test(arguments: [
        ("192.0.2.1", [192, 0, 2, 1]), ("0.0.0.0", [0, 0, 0, 0]), ("255.255.255.255", [255, 255, 255, 255]),
        ("::", [UInt8](repeating: 0, count: 16)), ("::1", [UInt8](repeating: 0, count: 15) + [1]),
        ("2001:DB8::a:0:1", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1]),
        ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ("1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]),
        ("::ffff:192.0.2.1", [192, 0, 2, 1]), ("64:ff9b::192.0.2.1", [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]),
    ] as [(String, [UInt8])])
    func `an address is read in every spelling`(_ text: String, _ bytes: [UInt8]) {
        #expect(IPAddress(text) != nil && IPAddress(text) == IPAddress(bytes: bytes))
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "1.2.3.0x4",
        ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1%eth0", "[::1]", "1.2.3.4::", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7:8::", "localhost", "unknown",
    ])
    func `what is no address is not guessed at`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1"]),
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6"]), ("192.0.2.7/32", ["192.0.2.7"], ["192.0.2.6"]),
        ("0.0.0.0/0", ["1.2.3.4", "::ffff:1.2.3.4"], ["::1", "2001:db8::1"]), ("::/0", ["::1", "1.2.3.4"], []),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "1.2.3.4"]), ("::1", ["::1"], ["::2", "0.0.0.1"]),
        ("fe80::/64", ["fe80::1"], ["fe80:0:0:1::"]), ("2001:db8::8000:0:0:0/65", ["2001:db8::8000:0:0:1"], ["2001:db8::7fff:0:0:1"]),
        ("::ffff:10.0.0.0/104", ["10.1.1.1"], ["11.1.1.1"]), ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
    ] as [(String, [String], [String])])
    func `a block holds its own and no other`(_ text: String, _ inside: [String], _ outside: [String]) throws {
        let network = try #require(IPNetwork(text))
        for address in inside { #expect(network.contains(try #require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(!network.contains(try #require(IPAddress(address))), "\(address)") }
    }

    @Test(arguments: [("10.0.0.0/8", [10, 0, 0, 0], 8), ("::ffff:10.0.0.0/104", [10, 0, 0, 0], 8), ("192.0.2.7", [192, 0, 2, 7], 32), ("::/0", [UInt8](repeating: 0, count: 16), 0)] as [(String, [UInt8], Int)])
    func `a block says its first address and its prefix`(_ text: String, _ bytes: [UInt8], _ prefix: Int) throws {
        let network = try #require(IPNetwork(text))
        #expect(network.bytes == bytes && network.prefix == prefix)
    }

    @Test(arguments: ["", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/8 ", "10.0.0.1/8", "::/129", "::1/64", "2001:db8::/1000", "10/8", "example.com"])
    func `what is no block is not guessed at`(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(arguments: [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6,198.51.100.1 ,\t10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1", "10.0.0.3", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [""], "10.0.0.1"), ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, _hidden, 10.0.0.2"], "10.0.0.2"), ("10.0.0.1", ["198.51.100.1,"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"), ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"), ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"), ("10.0.0.1", ["[2001:db8::1"], "10.0.0.1"), ("10.0.0.1", ["198.51.100.1:"], "10.0.0.1"), ("10.0.0.1", ["198.51.100.1:x"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ] as [(String, [String], String)])
    func `the client is the last one that no trusted proxy vouches past`(_ peer: String, _ fields: [String], _ client: String) throws {
        var address = ClientAddress(peer: try #require(IPAddress(peer)), trusted: [try #require(IPNetwork("10.0.0.0/8"))])
        for field in fields.reversed() { address.read(Array(field.utf8).span.raw) }
        #expect(address.address == IPAddress(client))
    }
}
