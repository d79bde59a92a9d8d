// How a call is made, made again, and given up; and what a batch of references comes to.

internal import Gateway
internal import Kernel
internal import Metrics
internal import Outbound

extension ParameterStore {
    /// Bytes of an answer: ten values of 8 KB, each byte escaped at length.
    private static let largestAnswer = 1 << 20

    /// Reads what the orders ask for. Where AWS refuses all because of one, each is asked for alone; one that is not answered is asked for once more.
    func fetch(_ orders: [Order<StoredSecret?>], isAhead: Bool) async {
        do throws(CallFault) {
            let left = try await fetchTogether(orders, isAhead)
            guard !left.isEmpty else { return }
            try await repeatedTurn(isWrite: false, isAhead)
            for order in try await fetchTogether(left, isAhead) {
                order.land(.failure(unsaid(order.reference)))
            }
        } catch {
            guard error.again == .oneByOne, orders.count > 1 else {
                for order in orders { order.land(.failure(error.fault)) }
                return
            }
            for order in orders { await fetchAlone(order, isAhead) }
        }
    }

    private func fetchAlone(_ order: Order<StoredSecret?>, _ isAhead: Bool) async {
        do throws(CallFault) {
            try await repeatedTurn(isWrite: false, isAhead)
            for unanswered in try await fetchTogether([order], isAhead) {
                unanswered.land(.failure(unsaid(order.reference)))
            }
        } catch {
            order.land(.failure(error.fault))
        }
    }

    /// - Returns: the orders that the answer says nothing of, or not one thing.
    private func fetchTogether(_ orders: [Order<StoredSecret?>], _ isAhead: Bool) async throws(CallFault) -> [Order<StoredSecret?>] {
        let asked = orders.map(\.reference)
        let found = try await called(.getParameters, on: ParameterStore.subject(asked), ParameterStoreBody.get(asked), isAhead) { (answer) throws(NotJSON) in
            try ParameterStoreAnswer.found(answer, asked: asked)
        }
        var left: [Order<StoredSecret?>] = []
        for order in orders {
            if let value = found.values[order.reference] {
                order.land(.success(value))
            } else if found.missing.contains(order.reference) {
                order.land(.success(nil))
            } else {
                left.append(order)
            }
        }
        return left
    }

    /// Deletes what the orders name. Where AWS refuses all because of one, each is deleted alone.
    func remove(_ orders: [Order<Bool>]) async {
        do throws(CallFault) {
            try await removeTogether(orders)
        } catch {
            guard error.again == .oneByOne, orders.count > 1 else {
                for order in orders { order.land(.failure(error.fault)) }
                return
            }
            for order in orders { await removeAlone(order) }
        }
    }

    private func removeAlone(_ order: Order<Bool>) async {
        do throws(CallFault) {
            try await repeatedTurn(isWrite: true, false)
            try await removeTogether([order])
        } catch {
            order.land(.failure(error.fault))
        }
    }

    private func removeTogether(_ orders: [Order<Bool>]) async throws(CallFault) {
        let asked = orders.map(\.reference)
        let body = ParameterStoreBody.delete(asked)
        let (deleted, missing) = try await called(.deleteParameters, on: ParameterStore.subject(asked), body, false) { (answer) throws(NotJSON) in
            try ParameterStoreAnswer.deleted(answer, asked: asked)
        }
        for order in orders {
            if deleted.contains(order.reference) || missing.contains(order.reference) {
                order.land(.success(deleted.contains(order.reference)))
            } else {
                order.land(.failure(unsaid(order.reference)))
            }
        }
    }

    /// What a call is about, for messages.
    private static func subject(_ references: [Reference]) -> String {
        let first = references.first?.path ?? ""
        return references.count > 1 ? "\(first) and \(references.count - 1) more" : first
    }

    private func unsaid(_ reference: Reference) -> StoreFault {
        StoreFault(.unavailable, "\(place): the answer does not say one thing of \(reference): is the endpoint Parameter Store's?")
    }

    func insist<Answer>(
        _ operation: ParameterStoreOperation, on subject: String, _ body: Secret, isAhead: Bool, _ read: (RawSpan) throws(NotJSON) -> Answer
    ) async throws(StoreFault) -> Answer {
        do throws(CallFault) { return try await called(operation, on: subject, body, isAhead, read) } catch { throw error.fault }
    }

    /// Makes a call whose turn it is, again where that may help, and reads its answer.
    private func called<Answer>(
        _ operation: ParameterStoreOperation, on subject: String, _ body: Secret, _ isAhead: Bool, _ read: (RawSpan) throws(NotJSON) -> Answer
    ) async throws(CallFault) -> Answer {
        let deadline = clock().advanced(by: Persistence.time)
        var repetitions = 0
        var hasAskedSource = false
        while true {
            let fault: CallFault
            do throws(CallFault) {
                return try await once(operation, on: subject, body, until: deadline, read)
            } catch {
                fault = error
            }
            switch fault.again {
            case .never, .oneByOne:
                throw fault
            case .withOtherCredentials:
                guard !hasAskedSource else { throw fault }
                hasAskedSource = true
            case .afterPause:
                guard let time = Persistence.next(repetitions, now: clock(), deadline: deadline, wish: fault.wish, random: random()) else {
                    throw fault
                }
                repetitions += 1
                await sleep(time)
            }
            guard !Task.isCancelled else { throw fault }
            try await repeatedTurn(isWrite: operation.isWrite, isAhead)
            guard clock() < deadline else { throw fault }
        }
    }

    private func repeatedTurn(isWrite: Bool, _ isAhead: Bool) async throws(CallFault) {
        do throws(StoreFault) {
            try refuseWhileOpen()
            try await turn(isWrite: isWrite, isAhead: isAhead)
        } catch {
            throw CallFault(fault: error, again: .never, isOutage: false)
        }
    }

    /// One call, counted and told to the circuit.
    private func once<Answer>(
        _ operation: ParameterStoreOperation, on subject: String, _ body: Secret, until deadline: MonotonicTime, _ read: (RawSpan) throws(NotJSON) -> Answer
    ) async throws(CallFault) -> Answer {
        guard case .admitted(let call) = circuit.admit(now: clock()) else {
            throw CallFault(fault: whileOpen(circuit.refusal(now: clock()) ?? .seconds(1)), again: .never, isOutage: false)
        }
        let began = clock()
        do throws(CallFault) {
            let answer = try await exchange(operation, on: subject, body, until: deadline, read)
            metrics.add(operation.metric, .ok, took: clock().duration(since: began))
            told { $0.succeeded(call) }
            return answer
        } catch {
            metrics.add(operation.metric, error.outcome, took: clock().duration(since: began))
            let now = clock()
            if Task.isCancelled {
                told { $0.abandoned(call, now: now) }
            } else if error.isOutage {
                lastOutage = error.fault.description
                let word = random()
                told { $0.failed(call, now: now, wish: error.wish, random: word) }
            } else {
                told { $0.succeeded(call) }
            }
            throw error
        }
    }

    private func exchange<Answer>(
        _ operation: ParameterStoreOperation, on subject: String, _ body: Secret, until deadline: MonotonicTime, _ read: (RawSpan) throws(NotJSON) -> Answer
    ) async throws(CallFault) -> Answer {
        let credentials: AWSCredentials
        do throws(AWSCredentialFault) { credentials = try await self.credentials.credentials() } catch { throw CallFault(error) }
        var request = OutboundRequest(.post, "\(place.endpoint)/", fields: [
            .init("Content-Type", "application/x-amz-json-1.1"), .init("X-Amz-Target", operation.target),
        ], body: body)
        request.limits.time = min(Persistence.attempt, deadline.duration(since: clock()))
        request.limits.answer = ParameterStore.largestAnswer
        request.authorities = place.authorities
        request.usesProxy = AWSEndpoint.usesProxy(place.endpoint)
        request.signature = OutboundRequest.Signature(
            region: place.region, service: "ssm", accessKey: credentials.accessKey, secretKey: credentials.secretKey,
            sessionToken: credentials.sessionToken)
        let response: OutboundResponse
        do throws(OutboundFault) { response = try await client.send(request) } catch { throw CallFault(error, at: place) }
        guard response.status == 200 else {
            let fault = CallFault(response, to: operation, on: subject, at: place, now: wallClock())
            if fault.again == .withOtherCredentials { await self.credentials.rejected(credentials) }
            throw fault
        }
        do throws(NotJSON) {
            return try read(response.body.bytes)
        } catch {
            throw .notUnderstood(operation, at: place)
        }
    }

    // MARK: The circuit

    func refuseWhileOpen() throws(StoreFault) {
        if let time = circuit.refusal(now: clock()) { throw whileOpen(time) }
    }

    private func whileOpen(_ time: Duration) -> StoreFault {
        let seconds = RefusalAnswer.wholeSeconds(time)
        return StoreFault(.unavailable, "not asked now, since it failed again and again: try again in \(seconds) s; the last time: \(lastOutage)", retryAfter: time)
    }

    /// Tells the circuit, and everybody whom its change concerns.
    private func told(_ change: (inout Circuit) -> Void) {
        let before = circuit.state
        change(&circuit)
        guard circuit.state != before else { return }
        metrics.set(.storeCircuit, to: circuit.level)
        switch circuit.state {
        case .closed:
            report(false, "secret store: \(place) answers again")
        case .open(let until):
            let time = until.duration(since: clock())
            // After a try that failed everybody was told before.
            if before == .closed { report(true, "secret store: left alone for a while, since \(Circuit.threshold) calls in a row failed: \(lastOutage)") }
            dismiss(whileOpen(time))
        case .trying:
            break
        }
    }
}

extension Circuit {
    /// As the metric has it.
    var level: Int {
        switch state {
        case .closed: 0
        case .trying: 1
        case .open: 2
        }
    }

    /// For a status.
    var word: String {
        switch state {
        case .closed: "closed"
        case .trying: "half-open"
        case .open: "open"
        }
    }
}

extension ParameterStoreOperation {
    var isWrite: Bool { self == .putParameter || self == .deleteParameters }
}
