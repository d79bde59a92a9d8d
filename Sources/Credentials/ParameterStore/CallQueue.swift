// What waits to be asked: references that travel together, and calls that wait for their turn.

internal import Gateway
internal import Kernel

/// A value without a clock: it is told the time, and says what may go now or when to look again. Belongs to the store's actor.
///
/// References wait a moment for company, up to ten travel in one call. Those of a request for what was deposited go first, then those of
/// requests for what nobody is known to have deposited, then those that are read ahead; but of four calls in a row the two later kinds have one
/// each to themselves, so that no flood of one kind keeps another from ever being asked. Within a kind the projects take turns, within a
/// project the older ones go first. A call with empty places takes along what would have waited longer.
struct CallQueue<Value: Sendable> {
    enum Step {
        /// One call for these references; `waited` for the allowance, where it had to.
        case depart([Order<Value>], isAhead: Bool, waited: Duration?)
        /// The turn of a call that was made up before.
        case turn(Seat<Void>, waited: Duration?)
        /// Nothing until then, unless something comes.
        case wait(until: MonotonicTime)
        case idle
    }

    static var places: Int { 10 }

    private let company: (waited: Duration, ahead: Duration)
    private let patience: (waited: Duration, ahead: Duration)
    private let capacity: Int
    private let project: @Sendable (Reference) -> Substring
    private var orders: [Reference: Order<Value>] = [:]
    private var waiting = FairLane<Value>()
    private var speculative = FairLane<Value>()
    private var ahead = FairLane<Value>()
    private var turns = Lane<Turn>()
    private var turnsAhead = Lane<Turn>()
    /// Calls that went, to know whose turn it is.
    private var departures = 0

    private struct Turn {
        let seat: Seat<Void>
        let since: MonotonicTime
    }

    /// - Parameters:
    ///   - company: how long a reference waits for others.
    ///   - patience: after which it is given up.
    ///   - capacity: of references; those that are speculative get half of it at most.
    ///   - project: whose a reference is.
    init(
        company: (waited: Duration, ahead: Duration), patience: (waited: Duration, ahead: Duration), capacity: Int,
        project: @escaping @Sendable (Reference) -> Substring = { _ in "" }
    ) {
        self.company = company
        self.patience = patience
        self.capacity = capacity
        self.project = project
    }

    var count: Int { orders.count }

    func seats(at reference: Reference) -> Int { orders[reference]?.seats.count ?? 0 }

    /// Puts a reference in line, with whoever asked for it before and does not travel yet.
    /// - Returns: false where there is no room.
    mutating func board(_ reference: Reference, _ urgency: ReadUrgency, seat: Seat<Value>, now: MonotonicTime) -> Bool {
        if let order = orders[reference] {
            order.seats.append(seat)
            if urgency < order.urgency { move(order, to: urgency, now: now) }
            return true
        }
        guard orders.count < capacity, urgency != .speculative || speculative.count < capacity / 2 else { return false }
        append(Order(reference, urgency, since: now, seats: [seat]))
        return true
    }

    /// One who asked does not wait any more; a reference nobody waits for does not travel.
    mutating func leave(_ reference: Reference, _ seat: Seat<Value>) {
        guard let order = orders[reference], let place = order.seats.firstIndex(where: { $0 === seat }) else { return }
        order.seats.remove(at: place)
        guard order.seats.isEmpty else { return }
        orders[reference] = nil
        self[order.urgency].abandon(order)
    }

    private mutating func move(_ order: Order<Value>, to urgency: ReadUrgency, now: MonotonicTime) {
        self[order.urgency].abandon(order)
        append(Order(order.reference, urgency, since: order.urgency == .ahead ? now : order.since, seats: order.seats))
    }

    private mutating func append(_ order: Order<Value>) {
        orders[order.reference] = order
        self[order.urgency].append(order, of: project(order.reference))
    }

    private subscript(urgency: ReadUrgency) -> FairLane<Value> {
        get {
            switch urgency {
            case .waiting: waiting
            case .speculative: speculative
            case .ahead: ahead
            }
        }
        _modify {
            switch urgency {
            case .waiting: yield &waiting
            case .speculative: yield &speculative
            case .ahead: yield &ahead
            }
        }
    }

    mutating func await(turn seat: Seat<Void>, isAhead: Bool, now: MonotonicTime) {
        let turn = Turn(seat: seat, since: now)
        if isAhead { turnsAhead.append(turn) } else { turns.append(turn) }
    }

    mutating func leave(turn seat: Seat<Void>) {
        turns.remove { $0.seat === seat }
        turnsAhead.remove { $0.seat === seat }
    }

    /// What may go now. A step that goes has taken of the allowance.
    mutating func next(now: MonotonicTime, _ allowance: inout Allowance) -> Step {
        guard let ripe = ripest(now: now) else {
            guard let time = nextRipe() else { return .idle }
            return .wait(until: time)
        }
        let mayGo = allowance.ready
        guard allowance.take(now: now) else {
            return .wait(until: min(mayGo, nextGivenUp() ?? .never))
        }
        // Ripe before it was allowed: it was the allowance that it waited for.
        let wait: Duration? = mayGo > ripe.since ? now.duration(since: ripe.since) : nil
        let row = row
        departures &+= 1
        switch ripe.what {
        case .turn(let isAhead):
            guard let turn = isAhead ? turnsAhead.popFirst() : turns.popFirst() else { return .idle }
            return .turn(turn.seat, waited: wait)
        case .orders(let urgency):
            return .depart(fill([urgency] + row), isAhead: urgency == .ahead, waited: wait)
        }
    }

    /// Those who waited too long, taken out.
    mutating func givenUp(now: MonotonicTime) -> [Order<Value>] {
        var late: [Order<Value>] = []
        for urgency in ReadUrgency.allCases {
            let patience = urgency == .ahead ? patience.ahead : patience.waited
            while let oldest = self[urgency].oldest, oldest.since.advanced(by: patience) <= now {
                self[urgency].abandon(oldest)
                late.append(oldest)
            }
        }
        for order in late { orders[order.reference] = nil }
        return late
    }

    /// Turns that did not come in time, taken out.
    mutating func turnsGivenUp(now: MonotonicTime) -> [Seat<Void>] {
        var late: [Seat<Void>] = []
        while let first = turns.first, first.since.advanced(by: patience.waited) <= now, let turn = turns.popFirst() { late.append(turn.seat) }
        while let first = turnsAhead.first, first.since.advanced(by: patience.ahead) <= now, let turn = turnsAhead.popFirst() { late.append(turn.seat) }
        return late
    }

    /// Everything that waits, taken out.
    mutating func clear() -> (orders: [Order<Value>], turns: [Seat<Void>]) {
        let all = (Array(orders.values), (turns.elements + turnsAhead.elements).map(\.seat))
        orders = [:]
        (waiting, speculative, ahead) = (FairLane(), FairLane(), FairLane())
        (turns, turnsAhead) = (Lane(), Lane())
        return all
    }

    private enum Ripe {
        case turn(isAhead: Bool)
        case orders(ReadUrgency)
    }

    /// In which order the kinds are looked at for the next call.
    private var row: [ReadUrgency] {
        switch departures & 3 {
        case 2: [.ahead, .waiting, .speculative]
        case 3: [.speculative, .waiting, .ahead]
        default: [.waiting, .speculative, .ahead]
        }
    }

    private mutating func ripest(now: MonotonicTime) -> (what: Ripe, since: MonotonicTime)? {
        for urgency in row {
            let isAhead = urgency == .ahead
            let turn: MonotonicTime? =
                switch urgency {
                case .waiting: turns.first?.since
                case .speculative: nil
                case .ahead: turnsAhead.first?.since
                }
            let orders = ripeness(of: urgency, now: now)
            switch (turn, orders) {
            case (let turn?, let orders?): return turn <= orders ? (.turn(isAhead: isAhead), turn) : (.orders(urgency), orders)
            case (let turn?, nil): return (.turn(isAhead: isAhead), turn)
            case (nil, let orders?): return (.orders(urgency), orders)
            case (nil, nil): continue
            }
        }
        return nil
    }

    /// Since when a call of that kind may go; nil where it still waits for company.
    private mutating func ripeness(of urgency: ReadUrgency, now: MonotonicTime) -> MonotonicTime? {
        guard let oldest = self[urgency].oldest else { return nil }
        let alone = oldest.since.advanced(by: urgency == .ahead ? company.ahead : company.waited)
        if alone <= now { return alone }
        return self[urgency].count >= CallQueue.places ? self[urgency].newest : nil
    }

    private mutating func nextRipe() -> MonotonicTime? {
        ReadUrgency.allCases.compactMap { urgency in
            self[urgency].oldest?.since.advanced(by: urgency == .ahead ? company.ahead : company.waited)
        }.min()
    }

    private mutating func nextGivenUp() -> MonotonicTime? {
        let hurried = [waiting.oldest?.since, speculative.oldest?.since, turns.first?.since].compactMap { $0 }.min()?.advanced(by: patience.waited)
        let unhurried = [ahead.oldest?.since, turnsAhead.first?.since].compactMap { $0 }.min()?.advanced(by: patience.ahead)
        return [hurried, unhurried].compactMap { $0 }.min()
    }

    private mutating func fill(_ row: [ReadUrgency]) -> [Order<Value>] {
        var leaving: [Order<Value>] = []
        for urgency in row {
            while leaving.count < CallQueue.places, let order = self[urgency].popNext() {
                orders[order.reference] = nil
                leaving.append(order)
            }
        }
        return leaving
    }
}

/// A reference that is to be asked for, and those who wait for it.
final class Order<Value: Sendable> {
    let reference: Reference
    let urgency: ReadUrgency
    let since: MonotonicTime
    fileprivate(set) var seats: [Seat<Value>]
    /// Whether it has left its lane, where it still stands.
    fileprivate var isAbandoned = false

    fileprivate init(_ reference: Reference, _ urgency: ReadUrgency, since: MonotonicTime, seats: [Seat<Value>]) {
        self.reference = reference
        self.urgency = urgency
        self.since = since
        self.seats = seats
    }

    func land(_ outcome: Seat<Value>.Outcome) {
        for seat in seats { seat.resume(outcome) }
    }
}

/// The orders of one kind: projects take turns, and each project's leave in the order they came.
private struct FairLane<Value: Sendable> {
    private var lanes: [Substring: Lane<Order<Value>>] = [:]
    /// Those that have orders, the next one first.
    private var rotation: [Substring] = []
    private(set) var count = 0
    /// When the last one came.
    private(set) var newest = MonotonicTime(nanoseconds: 0)

    mutating func append(_ order: Order<Value>, of project: Substring) {
        if lanes[project] == nil { rotation.append(project) }
        lanes[project, default: Lane()].append(order)
        newest = max(newest, order.since)
        count += 1
    }

    /// Counts it no more; it is dropped when it comes to the front.
    mutating func abandon(_ order: Order<Value>) {
        guard !order.isAbandoned else { return }
        order.isAbandoned = true
        count -= 1
    }

    mutating func popNext() -> Order<Value>? {
        while !rotation.isEmpty {
            let project = rotation.removeFirst()
            let order = nextOf(project)
            if lanes[project]?.first != nil { rotation.append(project) } else { lanes[project] = nil }
            guard let order else { continue }
            count -= 1
            return order
        }
        return nil
    }

    /// Of all that are in line, the one that came first.
    var oldest: Order<Value>? {
        mutating get {
            for project in rotation {
                while let first = lanes[project]?.first, first.isAbandoned { _ = lanes[project]?.popFirst() }
            }
            rotation.removeAll { lanes[$0]?.first == nil }
            if lanes.count != rotation.count { lanes = lanes.filter { $0.value.first != nil } }
            return rotation.compactMap { lanes[$0]?.first }.min { $0.since < $1.since }
        }
    }

    private mutating func nextOf(_ project: Substring) -> Order<Value>? {
        while let order = lanes[project]?.popFirst() {
            if !order.isAbandoned { return order }
        }
        return nil
    }
}

/// First in, first out, in an array whose dead front is dropped now and then.
private struct Lane<Element> {
    private var array: [Element] = []
    private var head = 0

    var count: Int { array.count - head }
    var first: Element? { head < array.count ? array[head] : nil }
    var elements: ArraySlice<Element> { array[head...] }

    mutating func append(_ element: Element) { array.append(element) }

    mutating func popFirst() -> Element? {
        guard let first else { return nil }
        head += 1
        if head >= 64, head * 2 >= array.count {
            array.removeFirst(head)
            head = 0
        }
        return first
    }

    mutating func remove(where isGone: (Element) -> Bool) {
        guard let place = elements.firstIndex(where: isGone) else { return }
        array.remove(at: place)
    }
}
