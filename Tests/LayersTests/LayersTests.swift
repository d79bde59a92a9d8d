// The layers and the habits of the house, held to what the sources say.

import Testing

@Suite struct LayersTests {
    @Test func `every target of Sources stands in the table and in Package swift`() {
        let targets = Set(SourceFile.all.map(\.target))
        #expect(targets.count > 3)
        #expect(targets.subtracting(Layers.layer.keys).isEmpty)
        #expect(targets.subtracting(Layers.declared.keys).isEmpty)
    }

    @Test func `a target declares only what stands lower`() throws {
        for (target, dependencies) in Layers.declared {
            let own = try #require(Layers.layer[target], "\(target) is not in the table")
            for dependency in dependencies {
                guard let layer = Layers.layer[dependency] else { continue }
                #expect(layer < own || layer == own && Layers.sameLayer.contains(dependency), "\(target) depends on \(dependency)")
            }
        }
    }

    @Test(arguments: SourceFile.all) func `every import is declared by the target, or borrowed where that is allowed`(_ file: SourceFile) {
        let declared = Layers.declared[file.target] ?? []
        for module in file.imports {
            if Layers.layer[module] == nil {
                #expect(Layers.borrowed[module]?.contains(file.target) == true, "\(file.testDescription) imports \(module)")
            } else {
                #expect(declared.contains(module), "\(file.testDescription) imports \(module), which Package.swift does not declare for it")
            }
        }
    }

    @Test(arguments: SourceFile.all) func `unsafe stays at the C boundary, the buffer, the secret and the executor`(_ file: SourceFile) {
        let lines = file.lines(with: "unsafe")
        let allowed = Layers.boundary.contains(file.target) ? Int.max : Layers.unsafeFiles[file.testDescription] ?? 0
        #expect(lines.count <= allowed, "\(file.testDescription): unsafe in lines \(lines)")
    }

    @Test(arguments: SourceFile.all) func `unchecked Sendable stays at the C boundary`(_ file: SourceFile) {
        guard !Layers.boundary.contains(file.target) else { return }
        #expect(file.lines(with: "@unchecked").isEmpty, "\(file.testDescription)")
    }

    @Test(arguments: SourceFile.all) func `nothing traps on purpose and nothing is left for later`(_ file: SourceFile) {
        for word in ["try!", "as!", "fatalError"] {
            #expect(file.lines(with: word).isEmpty, "\(file.testDescription): \(word)")
        }
        for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X"] {
            #expect(!file.text.contains(word), "\(file.testDescription): \(word)")
        }
    }

    @Test(arguments: SourceFile.all) func `line one says what the file is for, and no file is over 400 lines`(_ file: SourceFile) {
        #expect(file.text.hasPrefix("// ") && (file.text.firstIndex(of: "\n").map { file.text.distance(from: file.text.startIndex, to: $0) } ?? 0) > 15)
        #expect(file.text.split(separator: "\n", omittingEmptySubsequences: false).count <= 401)
    }

    @Test(arguments: SourceFile.all) func `nothing of ours is public`(_ file: SourceFile) {
        let declarations = file.code.split(separator: "\n").filter { $0.contains(/^\s*(@\w+ )*public [a-z]/) }
        #expect(declarations.isEmpty, "\(file.testDescription)")
    }

    @Test func `code is what is left without comments and literals`() {
        let file = SourceFile(target: "T", name: "n", text: "a // unsafe\nb \"unsafe \\\" x\" /* unsafe\n*/ c\n\"\"\"\n unsafe\n\"\"\" d\n")
        #expect(file.lines(with: "unsafe").isEmpty)
        #expect(file.lines(with: "c") == [3])
        #expect(file.lines(with: "d") == [6])
    }

    @Test func `imports are read whatever stands around them`() {
        let text = "internal import A\npackage import struct B.C\n@testable import D\n// import E\nlet import_ = 1\n"
        #expect(SourceFile(target: "T", name: "n", text: text).imports == ["A", "B", "D"])
    }
}
