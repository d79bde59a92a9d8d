// What is found without a network: numeric addresses and the hosts file.

import Kernel
import Testing

@Suite struct AddressLookupTests {
    @Test func `a numeric address is its own answer`() throws {
        #expect(try AddressLookup.addresses(of: "192.0.2.7") == [.v4([192, 0, 2, 7], port: 0)])
        let six = try AddressLookup.addresses(of: "2001:db8::1")
        #expect(six.map(\.host) == ["2001:db8::1"])
    }

    @Test func `localhost is this machine, each address once`() throws {
        let addresses = try AddressLookup.addresses(of: "localhost")
        #expect(addresses.contains { ["127.0.0.1", "::1"].contains($0.host) })
        #expect(Set(addresses).count == addresses.count)
    }

    @Test(arguments: ["", "localhost\u{0}.example.com"]) func `what is no name is unknown`(host: String) {
        #expect(throws: ResolveFault.unknownName) { try AddressLookup.addresses(of: host) }
    }

    @Test func `another port leaves the address`() {
        #expect(SocketAddress.v4([1, 2, 3, 4], port: 0).with(port: 443) == .v4([1, 2, 3, 4], port: 443))
        #expect(SocketAddress.unix("/run/x").with(port: 443) == .unix("/run/x"))
    }
}
