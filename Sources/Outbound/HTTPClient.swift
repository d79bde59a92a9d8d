// Who sends outbound requests: libcurl in the daemon, a script in tests.

package protocol HTTPClient: Sendable {
    /// Sends the request and returns the whole answer, whatever its status. Cancelling the task ends the exchange at once.
    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse
}
