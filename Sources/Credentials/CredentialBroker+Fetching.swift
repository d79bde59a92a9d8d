// How the broker reads the store: one flight a credential, in a hurry or ahead of need, and what becomes of what it brings.

internal import Gateway
internal import Kernel
internal import Metrics

extension CredentialBroker {
    /// Reads again what is used near the end of its time, while it goes on being served.
    func refreshAhead(_ key: CacheKey, now: MonotonicTime) {
        guard flights[key] == nil, let held = table.peek(key, now: now), held.isStored, now >= held.retryAt,
            now >= held.lifetime.refreshFrom, now < held.lifetime.freshUntil
        else { return }
        _ = depart(key, for: held.asker, .ahead)
    }

    /// - Parameter dropping: the number of a token that its server rejected: it is not to come again.
    func depart(_ key: CacheKey, for asker: Held.Asker, _ urgency: ReadUrgency, dropping token: Int? = nil) -> Flight {
        let flight = Flight(number: nextNumber(), urgency, sequence: log.sequence)
        flights[key] = flight
        read(flight, key, asker, dropping: token)
        return flight
    }

    /// Begins a read ahead anew for one who has nothing usable: he does not stand in the row of those who can wait. So is one begun anew that may
    /// bring the token that he was refused with.
    func hurry(_ flight: Flight, _ key: CacheKey, for asker: Held.Asker, dropping token: Int? = nil) {
        flight.task?.cancel()
        flight.number = nextNumber()
        flight.urgency = .waiting
        read(flight, key, asker, dropping: token)
    }

    private func nextNumber() -> UInt64 {
        latestNumber += 1
        return latestNumber
    }

    private func read(_ flight: Flight, _ key: CacheKey, _ asker: Held.Asker, dropping token: Int?) {
        let (number, urgency) = (flight.number, flight.urgency)
        if token != nil { flight.dropped = token }
        flight.task = Task { await self.fly(number, key, asker, urgency, dropping: token) }
    }

    private func fly(_ number: UInt64, _ key: CacheKey, _ asker: Held.Asker, _ urgency: ReadUrgency, dropping token: Int?) async {
        do throws(StoreFault) {
            if asker.instance.server.oauth != nil { return land(number, key, asker, try await fetchToken(for: asker, dropping: token)) }
            let deposit = Deposit(at: asker.instance, user: asker.user, prefix: prefix, now: wallClock())
            let content = try await fetch(deposit, urgency == .waiting ? await sortedIn(deposit.reference) : urgency)
            land(number, key, asker, content)
        } catch {
            land(number, key, asker, error)
        }
    }

    /// Who asks for what nobody is known to have deposited stands behind those who ask for what somebody has. A value that was put there by other
    /// means is found all the same, and on record from then on. Where the record cannot be asked, everybody counts as known.
    ///
    /// Only the row hangs on it. Whose origin a value has is looked up again behind the read: a record that was read before the value may be that
    /// of the value before it.
    private func sortedIn(_ reference: Reference) async -> ReadUrgency {
        do { return try await ledger.standing(of: reference) == nil ? .speculative : .waiting } catch { return .waiting }
    }

    /// What the store has, with the origin it was deposited for; a value that nobody recorded is adopted for the present one.
    private func fetch(_ deposit: Deposit, _ urgency: ReadUrgency) async throws(StoreFault) -> Held.Content {
        metrics.add(.storeReads)
        switch try await store.read([deposit.reference], urgency)[deposit.reference] {
        case nil: return .missing
        case .damaged(let fault): return .unusable(fault.description)
        case .value(let value):
            let fields: [FieldName: Secret]
            do throws(CredentialJSON.Malformed) {
                fields = try CredentialJSON.read(value.bytes)
            } catch {
                return .unusable("\(deposit.reference): not a flat JSON object of strings, at byte \(error.offset): deposit it again")
            }
            do {
                let known = try await ledger.standing(of: deposit.reference)
                let origin = if let known { known.origin } else { try await ledger.adopt(deposit) }
                return .stored(Credential(fields: fields, origin: origin, isRejected: known?.isRejected == true))
            } catch {
                throw StoreFault(.unavailable, "the origin of \(deposit.reference) cannot be looked up: \(error)")
            }
        }
    }

    /// What the token's source has. A grant names its own origin; only whether its server rejects it is on record.
    private func fetchToken(for asker: Held.Asker, dropping number: Int?) async throws(StoreFault) -> Held.Content {
        let (instance, user) = (asker.instance, asker.user)
        if let number { await tokens.rejected(number, at: instance, user: user) }
        do throws(TokenFault) {
            let token = try await tokens.token(at: instance, user: user)
            let standing = try? await ledger.standing(of: Reference(instance, user: user, prefix: prefix))
            return .stored(Credential(token, origin: instance.server.origin, isRejected: standing?.isRejected == true))
        } catch {
            switch error {
            case .missing: return .missing
            case .disconnected(let why): return .disconnected(why)
            case .unavailable(let fault): throw fault
            }
        }
    }

    private func land(_ number: UInt64, _ key: CacheKey, _ asker: Held.Asker, _ content: Held.Content) {
        let now = clock()
        let lifetime = lifetime(of: content, now: now)
        if let flight = overtaken.removeValue(forKey: number) {
            flight.land(.held(Held(number: number, content: content, for: asker, at: now, lifetime), sequence: flight.sequence))
        } else if let flight = flights[key], flight.number == number {
            flights[key] = nil
            let held = keep(Held(number: number, content: content, for: asker, at: now, lifetime), for: key, now: now)
            flight.land(.held(held, sequence: log.sequence))
        }
    }

    private func land(_ number: UInt64, _ key: CacheKey, _ asker: Held.Asker, _ fault: StoreFault) {
        // A token's source counts for itself what it asks of the store.
        let count = asker.instance.server.oauth == nil ? 1 : 0
        if let flight = overtaken.removeValue(forKey: number) {
            metrics.add(.storeFailures, count)
            flight.land(.failed(fault))
        } else if let flight = flights[key], flight.number == number {
            metrics.add(.storeFailures, count)
            flights[key] = nil
            let now = clock()
            if table.peek(key, now: now)?.isStored == true {
                metrics.add(.cacheRefreshFailed)
                let share = share()
                table.change(key) { $0.recordFailure(at: now, share: share) }
            } else {
                _ = failures.insert(fault, for: key, until: now.advanced(by: CredentialBroker.failureSpan))
            }
            flight.land(.failed(fault))
        }
    }

    private func lifetime(of content: Held.Content, now: MonotonicTime) -> Lifetime {
        guard case .stored(let credential) = content else { return Lifetime(ofNothing: settings.negativeTTL, at: now, share: share) }
        if let token = credential.token {
            return Lifetime(ofToken: token.refreshFrom, expiry: credential.expiry, settings, at: now, share: share)
        }
        return Lifetime(of: settings, at: now, expiry: credential.expiry, share: share)
    }

    /// Puts what was read in place of what was there. Where that is something else, nobody uses the old from here on.
    func keep(_ new: Held, for key: CacheKey, now: MonotonicTime) -> Held {
        var held = new
        if var known = table.peek(key, now: now) {
            if known.isStored { metrics.add(.cacheRefreshed) }
            if known.content.isSame(as: new.content) {
                // The object that was rendered stays, too: a 401 to it is a 401 to the present value.
                known.confirm(at: now, new.lifetime)
                held = known
            } else {
                log.record(key)
            }
        }
        if table.insert(held, for: key, until: held.lifetime.usableUntil, isBrief: !held.isStored) { metrics.add(.cacheEvicted) }
        if held.isStored { remind(of: key, at: held.lifetime.refreshFrom) }
        countEntries()
        return held
    }
}
