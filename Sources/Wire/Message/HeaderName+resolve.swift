extension HeaderName {
  /// Resolves a name, whatever its case. A name with underscores is never its dashed twin.
  ///
  /// The length leaves one to five candidates, and two words of each, constants all, tell nearly always whether it is the
  /// one: no table to load, no loop.
  static func resolve(_ name: RawSpan) -> HeaderName {
    let probe = Probe(name)
    return switch name.byteCount {
    case 2: probe.match(.te) ?? .other
    case 3: probe.match(.via) ?? .other
    case 4: probe.match(.host) ?? probe.match(.date) ?? .other
    case 6:
      probe.match(.expect)
        ?? probe.match(.server)
        ?? probe.match(.origin)
        ?? probe.match(.cookie)
        ?? probe.match(.accept) ?? .other
    case 7: probe.match(.trailer) ?? probe.match(.upgrade) ?? .other
    case 8: probe.match(.location) ?? .other
    case 10:
      probe.match(.connection)
        ?? probe.match(.keepAlive)
        ?? probe.match(.userAgent)
        ?? probe.match(.setCookie) ?? .other
    case 11: probe.match(.grpcStatus) ?? .other
    case 12:
      probe.match(.xRequestID)
        ?? probe.match(.contentType)
        ?? probe.match(.grpcMessage)
        ?? probe.match(.grpcTimeout) ?? .other
    case 13: probe.match(.authorization) ?? .other
    case 14: probe.match(.contentLength) ?? probe.match(.http2Settings) ?? .other
    case 15: probe.match(.xForwardedFor) ?? probe.match(.xEnvoyIPTags) ?? .other
    case 16:
      probe.match(.proxyConnection)
        ?? probe.match(.xForwardedHost)
        ?? probe.match(.xForwardedPort)
        ?? probe.match(.xEnvoyRetryOn)
        ?? probe.match(.xEnvoyInternal) ?? .other
    case 17: probe.match(.transferEncoding) ?? probe.match(.xForwardedProto) ?? .other
    case 18: probe.match(.xEnvoyOverloaded) ?? .other
    case 19:
      probe.match(.xEnvoyMaxRetries)
        ?? probe.match(.xEnvoyForceTrace)
        ?? probe.match(.xEnvoyRateLimited)
        ?? probe.match(.sallyportExplain) ?? .other
    case 21:
      probe.match(.xEnvoyOriginalPath)
        ?? probe.match(.xEnvoyAttemptCount)
        ?? probe.match(.xEnvoyRetryGRPCOn)
        ?? probe.match(.xEnvoyPeerMetadata)
        ?? probe.match(.xEnvoyOriginalHost) ?? .other
    case 23: probe.match(.xForwardedClientCert) ?? .other
    case 24: probe.match(.xEnvoyExternalAddress) ?? probe.match(.xEnvoyPeerMetadataID) ?? .other
    case 27: probe.match(.xEnvoyDecoratorOperation) ?? .other
    case 29: probe.match(.xEnvoyUpstreamServiceTime) ?? probe.match(.accessControlRequestMethod) ?? .other
    case 30:
      probe.match(.xEnvoyExpectedTimeout)
        ?? probe.match(.xEnvoyUpstreamTimeout)
        ?? probe.match(.xEnvoyRetriableStatusCodes)
        ?? probe.match(.xEnvoyRetriableHeaderNames) ?? .other
    case 31: probe.match(.xEnvoyDownstreamServiceNode) ?? .other
    case 32: probe.match(.xEnvoyHedge) ?? .other
    case 34: probe.match(.xEnvoyDownstreamServiceCluster) ?? .other
    case 35: probe.match(.xEnvoyImmediateHealthCheckFail) ?? .other
    case 38: probe.match(.xEnvoyPerTryTimeout) ?? .other
    case 40: probe.match(.xEnvoyTimeoutAlternateResponse) ?? .other
    default: .other
    }
  }
}

/// A name that is compared with known ones of its length.
private struct Probe: ~Escapable {
  private let name: RawSpan
  /// The first eight bytes and the last eight, in lower case; of a shorter name twice the same.
  private let head: UInt64
  private let tail: UInt64

  @inline(__always)
  @_lifetime(copy name)
  init(_ name: RawSpan) {
    self.name = name
    (head, tail) = Self.words(name)
  }

  /// The candidate, if the name is it. It must have as many bytes.
  @inline(__always)
  func match(_ candidate: HeaderName) -> HeaderName? {
    let text = candidate.text
    let (first, last) = text.withUTF8Buffer { unsafe Self.words(RawSpan(_unsafeElements: $0)) }
    guard head == first, tail == last else { return nil }
    return text.utf8CodeUnitCount <= 16 || name.equalsIgnoringCase(text) ? candidate : nil
  }

  @inline(__always)
  private static func words(_ name: RawSpan) -> (head: UInt64, tail: UInt64) {
    let count = name.byteCount
    if count >= 8 { return (ByteScan.lowercased(name.word(at: 0)), ByteScan.lowercased(name.word(at: count &- 8))) }
    if count >= 4 {
      let word = ByteScan.lowercased(name.shortWords())
      return (word, word)
    }
    let bytes = name.octets
    var word: UInt64 = 0
    for index in 0..<count { word |= UInt64(Octet.lowercased(bytes[index])) << UInt64(index &* 8) }
    return (word, word)
  }
}
