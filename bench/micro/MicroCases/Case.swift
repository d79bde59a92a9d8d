// One thing that is measured, and the list of all of them.

package struct Case: Sendable {
    /// What thresholds.json and every table call it by.
    package let name: String

    /// Makes what the case works on, the one-time work of a warm worker included.
    ///
    /// - Returns: runs so many iterations and sums up what they gave, so that no compiler leaves one out. Every iteration gives the same number.
    package let prepare: @Sendable () throws -> Run

    package typealias Run = (_ iterations: Int) throws -> Int

    init(_ name: String, prepare: @escaping @Sendable () throws -> Run) {
        self.name = name
        self.prepare = prepare
    }

    /// A prepared case that was seen to work: an iteration gives something, and each the same.
    package func prepareChecked() throws -> Run {
        let run = try prepare()
        let one = try run(1)
        guard one > 0, try run(3) == 3 * one else { throw Unfit("\(name): the iterations do not all give the same") }
        return run
    }

    /// Every case, in the order of a request's life.
    package static func all(_ fixtures: Fixtures) -> [Case] {
        headCases(fixtures) + identityCases(fixtures) + bodyCases(fixtures) + [wholeRequest(fixtures)]
    }
}

/// A fixture is not what it has to be; says which.
struct Unfit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Optional {
    func orUnfit(_ what: String) throws(Unfit) -> Wrapped {
        guard let self else { throw Unfit(what) }
        return self
    }
}
