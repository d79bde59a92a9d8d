// What is stored for somebody, said without its value: for the pages that show it.

package import Gateway

/// A credential as it was found when it was asked for.
package struct StoredStanding: Hashable, Sendable {
    /// Whether what is stored can be read and is what the server needs, as far as that can be told without asking it.
    package let isUsable: Bool
    /// Nil for a value that was put there by other means and that nobody asked for yet.
    package let deposit: Deposit?
}

extension CredentialBroker {
    /// Asks the store, not the cache. Where tokens come by OAuth, what is stored is the grant.
    ///
    /// - Parameter user: for the instances of user level.
    /// - Returns: those instances for which something is stored.
    package func standings(at instances: [ServerInstance], user: UserEmail) async throws(DepositFault) -> [ServerName: StoredStanding] {
        let places = instances.map { (instance: $0, reference: Reference($0, user: user, prefix: prefix)) }
        let found = try await read(places.map(\.reference), .waiting)
        let deposits = try await recording { ledger async throws in try await ledger.deposits(at: places.map(\.reference)) }
        var standings: [ServerName: StoredStanding] = [:]
        for (instance, reference) in places {
            let deposit = deposits[reference]
            switch found[reference] {
            case nil: continue
            case .damaged: standings[instance.name] = StoredStanding(isUsable: false, deposit: deposit)
            case .value(let value):
                standings[instance.name] = StoredStanding(isUsable: instance.server.oauth != nil || CredentialBroker.fits(value, instance.server), deposit: deposit)
            }
        }
        return standings
    }

    private static func fits(_ value: Secret, _ server: Server) -> Bool {
        guard let values = try? CredentialJSON.read(value.bytes) else { return false }
        return (try? RenderedCredential.render(values, for: server)) != nil
    }
}
