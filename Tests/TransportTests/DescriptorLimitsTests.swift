import Testing

@testable import Transport

/// What of the process's descriptors is for whom.
struct DescriptorLimitsTests {
  @Test(arguments: [
    (total: Int32(64), own: Int32(16), upstreams: Int32(12), clients: Int32(36), port: 2), (96, 16, 20, 60, 2),
    (1024, 128, 224, 672, 16), (65_536, 512, 16_256, 48_768, 64), (1_048_576, 512, 262_016, 786_048, 64),
  ])
  func theLastOnesAreKept(_ expected: (total: Int32, own: Int32, upstreams: Int32, clients: Int32, port: Int)) {
    let limits = DescriptorLimits(total: expected.total)
    #expect(limits.ownReserve == expected.own && limits.upstreamReserve == expected.upstreams)
    #expect(limits.clients == expected.clients && limits.upstreams == expected.total - expected.own)
    #expect(limits.connectionsOfOwnPort == expected.port)
  }
}
