// A Swift source of the package, as text and as code without its comments and literals.

import Foundation
import Testing

struct SourceFile: CustomTestStringConvertible {
    let target: String
    let name: String
    let text: String
    /// The text with comments and the insides of string literals blanked; lines keep their numbers.
    let code: String

    init(target: String, name: String, text: String) {
        self.target = target
        self.name = name
        self.text = text
        code = Self.code(of: text)
    }

    var testDescription: String { "\(target)/\(name)" }

    /// Every source under `Sources`, in name order.
    static let all: [SourceFile] = {
        let sources = root.appending(path: "Sources")
        let paths = (FileManager.default.enumerator(atPath: sources.path)?.allObjects ?? []).compactMap { $0 as? String }
        return paths.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            guard let text = try? String(contentsOf: sources.appending(path: path), encoding: .utf8) else { return nil }
            let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
            return SourceFile(target: parts[0], name: parts[1], text: text)
        }
    }()

    /// The package's directory.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The modules it imports: `internal import struct A.B` is `A`.
    var imports: [String] {
        code.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(Self.mayPrecedeImport) else { return nil }
            let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"]
            let module = words[(keyword + 1)...].first { !kinds.contains($0) }
            return module?.split(separator: ".").first.map(String.init)
        }
    }

    private static func mayPrecedeImport(_ word: String) -> Bool {
        word.hasPrefix("@") || ["internal", "package", "public", "private", "fileprivate"].contains(word)
    }

    private static func code(of text: String) -> String {
        var result: [UInt8] = []
        var state = State.code
        let bytes = Array(text.utf8)
        var index = 0
        func stands(_ word: String) -> Bool {
            bytes[index] == word.utf8.first && bytes[index...].starts(with: word.utf8)
        }
        while index < bytes.count {
            var width = 1
            switch state {
            case .code:
                if stands("//") { state = .line } else if stands("/*") { (state, width) = (.block, 2) }
                else if stands("\"\"\"") { (state, width) = (.longLiteral, 3) }
                else if stands("\"") { state = .literal }
                else { result.append(bytes[index]) }
            case .line where stands("\n"): state = .code; result.append(UInt8(ascii: "\n"))
            case .block where stands("*/"): (state, width) = (.code, 2)
            case .longLiteral where stands("\"\"\""): (state, width) = (.code, 3)
            case .literal where stands("\\"), .longLiteral where stands("\\"): width = 2
            case .literal where stands("\""): state = .code
            case .line, .block, .literal, .longLiteral:
                if stands("\n") { result.append(UInt8(ascii: "\n")) }
            }
            index += width
        }
        return String(decoding: result, as: UTF8.self)
    }

    private enum State { case code, line, block, literal, longLiteral }

    /// The numbers of the lines of `code` in which `word` stands as a word of its own.
    func lines(with word: String) -> [Int] {
        code.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@" || $0 == "!") }.contains { $0 == word } ? number + 1 : nil
        }
    }
}
