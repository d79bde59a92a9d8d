// What is counted of the portal and the administration: requests by the door they came in through, and class of status.

/// Where a request that is no agent's came in.
package enum PortalDoor: Int, CaseIterable, Sendable {
    case `public`, admin, socket

    package var text: String {
        switch self {
        case .public: "public"
        case .admin: "admin"
        case .socket: "socket"
        }
    }
}

extension Shard {
    /// Counts one request, at its end.
    /// - Parameter status: of the answer; what is outside 100…599 counts as 5xx.
    package func addPortalRequest(at door: PortalDoor, status: Int) {
        cells.add(1, at: PortalLayout.cell(door, InstanceLayout.statusClass(status)))
    }
}

/// Where in a shard's cells: behind counters and gauges.
enum PortalLayout {
    static func cell(_ door: PortalDoor, _ statusClass: Int) -> Int {
        Counter.count + Gauge.allCases.count + door.rawValue * InstanceLayout.classes + statusClass - 1
    }

    static var end: Int { cell(.socket, InstanceLayout.classes) + 1 }
}

extension Metrics {
    /// How many requests of the portal and the administration were answered so.
    /// - Parameter statusClass: 1…5; 6 = no answer.
    package func portalRequests(at door: PortalDoor, statusClass: Int) -> UInt64 {
        workers.reduce(0) { $0 &+ $1.cells[PortalLayout.cell(door, statusClass)] }
    }
}

extension PrometheusText {
    mutating func writePortal(of metrics: Metrics) {
        head(.portalRequests)
        for door in PortalDoor.allCases {
            for statusClass in 1...InstanceLayout.classes {
                let labels = [(name: "door", value: door.text), (name: "status", value: InstanceLayout.word(of: statusClass))]
                sample(Family.portalRequests.name, labels, metrics.portalRequests(at: door, statusClass: statusClass))
            }
        }
    }
}

extension Family {
    static let portalRequests = Family(
        "claviger_portal_requests_total", .counter,
        "Requests of people, commands, scrapers and load balancers, which are no exchanges: the portal's pages at `gateway.listen` (`public`), health, metrics and administration at `admin.address` (`admin`), and `admin.sock` (`socket`).",
        Label("door", PortalDoor.allCases.map(\.text)), Label("status", InstanceLayout.words))
}
