// A credential's fields as a person or a script gives them: `FIELD=VALUE` lines, or prompts without echo.

internal import Gateway
internal import Kernel
internal import Portal

enum FieldInput {
    /// From standard input, to its end.
    static func read() throws(CommandFault) -> [FieldName: Secret] {
        let input = try everything()
        return try fields(input.bytes)
    }

    private static func everything() throws(CommandFault) -> Secret {
        do throws(SystemFault) {
            return Secret(try StandardInput.read(atMost: 256 << 10))
        } catch {
            throw .failed(error.isTooLarge ? "standard input has more than 256 KiB: give FIELD=VALUE lines" : "standard input: \(error.reason)")
        }
    }

    /// Asks for each field at the terminal, without echo.
    static func prompted(for form: CredentialForm) throws(CommandFault) -> [FieldName: Secret] {
        var fields: [FieldName: Secret] = [:]
        for field in form.fields {
            guard let name = FieldName(field.name) else { continue }
            fields[name] = try answer(to: "\(field.label ?? field.name) (not shown): ")
        }
        return fields
    }

    private static func answer(to prompt: String) throws(CommandFault) -> Secret {
        do throws(SystemFault) {
            return Secret(try StandardInput.readLine(prompt: prompt))
        } catch {
            throw .failed("the terminal: \(error.reason)")
        }
    }

    /// A line's value is everything behind its first `=`, as it is; empty lines do not count.
    ///
    /// - Throws: which line is none; never what is in it.
    static func fields(_ text: RawSpan) throws(CommandFault) -> [FieldName: Secret] {
        var fields: [FieldName: Secret] = [:]
        var start = 0
        var number = 0
        while start < text.byteCount {
            var end = start
            while end < text.byteCount, text[end] != UInt8(ascii: "\n") { end += 1 }
            number += 1
            if end > start { try add(text.extracting(start..<end), number: number, to: &fields) }
            start = end + 1
        }
        return fields
    }

    private static func add(_ line: RawSpan, number: Int, to fields: inout [FieldName: Secret]) throws(CommandFault) {
        var separator = 0
        while separator < line.byteCount, line[separator] != UInt8(ascii: "=") { separator += 1 }
        guard separator < line.byteCount, separator <= 32 else { throw .failed("line \(number) of the input is not FIELD=VALUE") }
        guard let name = FieldName(String(decoding: line.extracting(0..<separator).copied(), as: UTF8.self)) else {
            throw .failed("line \(number) of the input has no field's name before its =: [a-z][a-z0-9_]{0,31}")
        }
        guard fields[name] == nil else { throw .failed("\(name) is given twice") }
        fields[name] = Secret(copying: line.extracting((separator + 1)..<line.byteCount))
    }
}
