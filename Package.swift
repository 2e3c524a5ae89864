// swift-tools-version: 6.2

import PackageDescription

/// SALLYPORT_FUZZ (set by scripts/fuzz to the path of libFuzzer's archive) adds the fuzz targets, and builds what they
/// fuzz with coverage.
let fuzzerArchive = Context.environment["SALLYPORT_FUZZ"]
let fuzzing = fuzzerArchive != nil

/// Every target of ours is checked the same way: Swift 6 mode, and each unsafe construct marked.
/// SALLYPORT_WARNINGS_AS_ERRORS (set by the Makefile) makes a warning fail the build of our targets, and of no one else's.
let strict: [SwiftSetting] =
  [
    .strictMemorySafety(), .enableExperimentalFeature("Lifetimes"),
    // The dynamic checks of exclusive access took 18,000 of the 39,000 instructions of a request. Debug builds, and so all
    // unit tests, keep them; the static checks are always on. See docs/decisions/0002-exclusivity.md.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
  ]
  + (Context.environment["SALLYPORT_WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : [])
  + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

/// A target of the data path. Targets are listed, and may only import, in the order of the request path.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "sallyport",
  products: [.executable(name: "sallyport", targets: ["sallyport"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // System libraries: a module map and thin inline shims for what Swift cannot import.
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "CPcre2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

    module("Wire", ["CNghttp2"]),
    module("Resources", ["CYaml"]),
    module("Routing", ["Wire", "Resources", "CPcre2"]),
    module("Transport", ["CLinux", "COpenSSL", "CCares"]),
    module("Proxy", ["Wire", "Routing", "Transport", "CLinux"]),
    module("Operations", ["Wire", "Resources", "Routing", "Transport", "Proxy", "CLinux", "COpenSSL"]),
    .executableTarget(
      name: "sallyport",
      dependencies: [
        "Resources", "Routing", "Operations",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    tests("WireTests", ["Wire"]),
    tests("ResourcesTests", ["Resources"]),
    tests("RoutingTests", ["Routing", "Wire", "Resources"]),
    tests("TransportTests", ["Transport", "CLinux"]),
    tests("ProxyTests", ["Proxy", "Transport"]),
    tests("OperationsTests", ["Operations", "Resources", "Routing", "CLinux"]),
  ]
)

/// A program that libFuzzer drives.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies + ["CFuzzer"], path: "Fuzz/\(name)", swiftSettings: strict,
    linkerSettings: [.unsafeFlags(fuzzerArchive.map { [$0] } ?? []), .linkedLibrary("stdc++")])
}

if fuzzing {
  package.targets.append(.systemLibrary(name: "CFuzzer", path: "Fuzz/CFuzzer"))
  package.targets +=
    [
      "FuzzRequestHead", "FuzzResponseHead", "FuzzChunkedBody", "FuzzClientHello", "FuzzProxyProtocol",
      "FuzzHTTP2Session",
    ].map { fuzzer($0, ["Wire"]) } + [fuzzer("FuzzYAML", ["Resources"])]
}
