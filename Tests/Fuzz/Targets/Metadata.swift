// libFuzzer's entry: every input is a document of an issuer or a server, and the properties of Tests/OAuthTests/Properties.swift hold of it.

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let problem = Properties.metadata(text) { fatalError(problem) }
    return 0
}
