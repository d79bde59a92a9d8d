// libFuzzer's entry: every input is a chunked body, and the properties of Tests/HTTP1Tests/Properties.swift hold of it.

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let message = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    // Where it is cut follows from the input, so that a crash is found again.
    let mixed = message.reduce(into: 0x9E37_79B9 as UInt32) { $0 = ($0 ^ UInt32($1)) &* 0x0100_0193 }
    let cuts = [Int(mixed & 0xFFFF) % (count + 1), Int(mixed >> 16) % (count + 1)]
    if let problem = Properties.chunkedBody(message, cuts: cuts) { fatalError(problem) }
    return 0
}
