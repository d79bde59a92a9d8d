// Another configuration: how long and how much is cached from now on, and what of it is nobody's any more.

package import Gateway

extension CredentialBroker {
    /// What is cached keeps the time it was given; what comes from now on has the new one.
    ///
    /// - Parameter instances: of the former configuration: gone, or with tokens that are to be had in another way. From the return on nobody uses
    ///   what was cached for them.
    package func adopt(_ settings: CacheSettings, dropping instances: [ServerInstance]) {
        self.settings = settings
        table.resize(to: settings.capacity)
        rechecks.resize(to: settings.capacity)
        failures.resize(to: settings.capacity)
        uses.resize(to: settings.capacity)
        let gone = Set(instances.map(\.digest))
        if !gone.isEmpty {
            for key in Set(table.allKeys).union(flights.keys).union(failures.allKeys) where gone.contains(key.instance) { invalidate(key) }
        }
        countEntries()
    }
}
