// ProcessHardening: applied and read back from the kernel.

import Kernel
import Testing

@Suite struct ProcessHardeningTests {
    // It changes the test process for good, which does the other tests no harm: they neither dump core nor trace.
    @Test func `hardening is in force after it was applied, and may be applied twice`() throws {
        try ProcessHardening.apply()
        try ProcessHardening.apply()
        #expect(ProcessHardening.isInForce)
    }
}
