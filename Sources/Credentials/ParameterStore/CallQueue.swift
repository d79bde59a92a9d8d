// What waits to be asked: references that travel together, and calls that wait for their turn.

internal import Gateway
internal import Kernel

/// A value without a clock: it is told the time, and says what may go now or when to look again. Belongs to the store's actor.
///
/// References wait a moment for company, up to ten travel in one call. Those somebody waits for go before those that are read ahead, and of
/// the same kind the older ones; a call with empty places takes along what would have waited longer.
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
    private var orders: [Reference: Order<Value>] = [:]
    private var waited = Lane<Order<Value>>()
    private var ahead = Lane<Order<Value>>()
    private var turns = Lane<Turn>()
    private var turnsAhead = Lane<Turn>()

    private struct Turn {
        let seat: Seat<Void>
        let since: MonotonicTime
    }

    /// - Parameters:
    ///   - company: how long a reference waits for others.
    ///   - patience: after which it is given up.
    ///   - capacity: of references.
    init(company: (waited: Duration, ahead: Duration), patience: (waited: Duration, ahead: Duration), capacity: Int) {
        self.company = company
        self.patience = patience
        self.capacity = capacity
    }

    var count: Int { orders.count }

    func seats(at reference: Reference) -> Int { orders[reference]?.seats.count ?? 0 }

    /// Puts a reference in line, with whoever asked for it before and does not travel yet.
    /// - Returns: false where there is no room.
    mutating func board(_ reference: Reference, isAhead: Bool, seat: Seat<Value>, now: MonotonicTime) -> Bool {
        if let order = orders[reference] {
            order.seats.append(seat)
            guard !isAhead, order.isAhead else { return true }
            order.isAhead = false
            order.since = now
            ahead.remove { $0 === order }
            waited.append(order)
            return true
        }
        guard orders.count < capacity else { return false }
        let order = Order(reference, isAhead: isAhead, since: now, seat: seat)
        orders[reference] = order
        if isAhead { ahead.append(order) } else { waited.append(order) }
        return true
    }

    /// One who asked does not wait any more; a reference nobody waits for does not travel.
    mutating func leave(_ reference: Reference, _ seat: Seat<Value>) {
        guard let order = orders[reference], let place = order.seats.firstIndex(where: { $0 === seat }) else { return }
        order.seats.remove(at: place)
        guard order.seats.isEmpty else { return }
        orders[reference] = nil
        if order.isAhead { ahead.remove { $0 === order } } else { waited.remove { $0 === order } }
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
        switch ripe.what {
        case .turn(let isAhead):
            guard let turn = isAhead ? turnsAhead.popFirst() : turns.popFirst() else { return .idle }
            return .turn(turn.seat, waited: wait)
        case .orders(let isAhead):
            return .depart(fill(), isAhead: isAhead, waited: wait)
        }
    }

    /// Those who waited too long, taken out.
    mutating func givenUp(now: MonotonicTime) -> [Order<Value>] {
        var late: [Order<Value>] = []
        while let first = waited.first, first.since.advanced(by: patience.waited) <= now, let order = waited.popFirst() { late.append(order) }
        while let first = ahead.first, first.since.advanced(by: patience.ahead) <= now, let order = ahead.popFirst() { late.append(order) }
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
        (waited, ahead) = (Lane(), Lane())
        (turns, turnsAhead) = (Lane(), Lane())
        return all
    }

    private enum Ripe {
        case turn(isAhead: Bool)
        case orders(isAhead: Bool)
    }

    private func ripest(now: MonotonicTime) -> (what: Ripe, since: MonotonicTime)? {
        for isAhead in [false, true] {
            let turn = (isAhead ? turnsAhead : turns).first?.since
            let lane = isAhead ? ahead : waited
            var orders = lane.first?.since.advanced(by: isAhead ? company.ahead : company.waited)
            if lane.count >= CallQueue.places { orders = min(lane[CallQueue.places - 1].since, orders ?? .never) }
            if let time = orders, time > now { orders = nil }
            switch (turn, orders) {
            case (let turn?, let orders?): return turn <= orders ? (.turn(isAhead: isAhead), turn) : (.orders(isAhead: isAhead), orders)
            case (let turn?, nil): return (.turn(isAhead: isAhead), turn)
            case (nil, let orders?): return (.orders(isAhead: isAhead), orders)
            case (nil, nil): continue
            }
        }
        return nil
    }

    private func nextRipe() -> MonotonicTime? {
        [waited.first?.since.advanced(by: company.waited), ahead.first?.since.advanced(by: company.ahead)].compactMap { $0 }.min()
    }

    private func nextGivenUp() -> MonotonicTime? {
        let waiting = [waited.first?.since, turns.first?.since].compactMap { $0 }.min()?.advanced(by: patience.waited)
        let unhurried = [ahead.first?.since, turnsAhead.first?.since].compactMap { $0 }.min()?.advanced(by: patience.ahead)
        return [waiting, unhurried].compactMap { $0 }.min()
    }

    private mutating func fill() -> [Order<Value>] {
        var leaving: [Order<Value>] = []
        while leaving.count < CallQueue.places, let order = waited.popFirst() ?? ahead.popFirst() {
            orders[order.reference] = nil
            leaving.append(order)
        }
        return leaving
    }
}

/// A reference that is to be asked for, and those who wait for it.
final class Order<Value: Sendable> {
    let reference: Reference
    fileprivate(set) var isAhead: Bool
    fileprivate(set) var since: MonotonicTime
    fileprivate(set) var seats: [Seat<Value>]

    fileprivate init(_ reference: Reference, isAhead: Bool, since: MonotonicTime, seat: Seat<Value>) {
        self.reference = reference
        self.isAhead = isAhead
        self.since = since
        seats = [seat]
    }

    func land(_ outcome: Seat<Value>.Outcome) {
        for seat in seats { seat.resume(outcome) }
    }
}

/// First in, first out, in an array whose dead front is dropped now and then.
private struct Lane<Element> {
    private var array: [Element] = []
    private var head = 0

    var count: Int { array.count - head }
    var first: Element? { head < array.count ? array[head] : nil }
    var elements: ArraySlice<Element> { array[head...] }

    subscript(place: Int) -> Element { array[head + place] }

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
