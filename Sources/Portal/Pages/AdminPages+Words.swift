// How states, numbers and addresses are written on the administrators' pages.

internal import Gateway
internal import Kernel

extension AdminPages {
    static func mark(_ state: Connection) -> PageModel {
        switch state {
        case .connected: mark("Connected", "ok", "isDisc")
        case .rejected: mark("Refused", "bad", "isCross")
        case .moved: mark("Reconnect", "warn", "isTurn")
        case .missing: mark("Not yet", "todo", "isRing")
        }
    }

    static func word(_ state: Connection) -> String {
        switch state {
        case .connected: "Connected"
        case .rejected: "Refused"
        case .moved: "Reconnect"
        case .missing: "Not yet"
        }
    }

    static func mark(_ word: String, _ tone: String, _ shape: String) -> PageModel {
        var model: PageModel = ["state": word, "tone": tone]
        for each in ["isDisc", "isRing", "isTurn", "isCross", "isPause"] { model[each] = each == shape }
        return model
    }

    static func count(_ number: Int, _ one: String, _ many: String) -> String { number == 1 ? "1 \(one)" : "\(grouped(number)) \(many)" }

    /// `1,204`.
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (place, digit) in String(number).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text = ",\(text)" }
            text = "\(digit)\(text)"
        }
        return text
    }

    /// For a path's step or a query's value.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func decoded(_ text: String) -> String { FormBody(Array("x=\(text.replacing("+", with: "%2B"))".utf8).span.raw).text("x") }
}
