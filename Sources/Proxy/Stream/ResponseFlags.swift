/// Why a request did not simply get the upstream's answer: Envoy's response flags, as they appear in access logs.
package struct ResponseFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// UH: no healthy endpoint in the cluster.
  package static let noHealthyUpstream = ResponseFlags(rawValue: 1 << 0)
  /// UF: the upstream connection could not be established, TLS included.
  package static let upstreamConnectionFailure = ResponseFlags(rawValue: 1 << 1)
  /// UO: a circuit breaker is open.
  package static let upstreamOverflow = ResponseFlags(rawValue: 1 << 2)
  /// NR: no route, or no filter chain.
  package static let noRouteFound = ResponseFlags(rawValue: 1 << 3)
  /// URX: retries or connect attempts exhausted.
  package static let upstreamRetryLimitExceeded = ResponseFlags(rawValue: 1 << 4)
  /// NC: the route's cluster does not exist.
  package static let noClusterFound = ResponseFlags(rawValue: 1 << 5)
  /// DC: the client went away.
  package static let downstreamConnectionTermination = ResponseFlags(rawValue: 1 << 6)
  /// UT: the route's timeout passed.
  package static let upstreamRequestTimeout = ResponseFlags(rawValue: 1 << 7)
  /// UC: the upstream closed or reset the connection.
  package static let upstreamConnectionTermination = ResponseFlags(rawValue: 1 << 8)
  /// UPE: the upstream broke the protocol.
  package static let upstreamProtocolError = ResponseFlags(rawValue: 1 << 9)
  /// DPE: the client broke the protocol.
  package static let downstreamProtocolError = ResponseFlags(rawValue: 1 << 10)
  /// SI: nothing moved on the stream for too long.
  package static let streamIdleTimeout = ResponseFlags(rawValue: 1 << 11)
  /// OM: refused because the instance is overloaded.
  package static let overloadManager = ResponseFlags(rawValue: 1 << 12)
  /// DF: the upstream's name could not be resolved.
  package static let dnsResolutionFailure = ResponseFlags(rawValue: 1 << 13)
  /// FI: a fault was injected.
  package static let faultInjected = ResponseFlags(rawValue: 1 << 14)
  /// DI: a delay was injected.
  package static let delayInjected = ResponseFlags(rawValue: 1 << 15)
  /// UR: the upstream reset the stream.
  package static let upstreamRemoteReset = ResponseFlags(rawValue: 1 << 16)
  /// DR: the client reset the stream.
  package static let downstreamRemoteReset = ResponseFlags(rawValue: 1 << 17)

  /// DT: the connection has lived as long as it may.
  package static let durationTimeout = ResponseFlags(rawValue: 1 << 18)

  /// The response did not come to its end.
  static let brokenOff: ResponseFlags = [
    .downstreamConnectionTermination, .downstreamRemoteReset, .downstreamProtocolError, .upstreamRequestTimeout,
    .upstreamConnectionTermination, .upstreamRemoteReset, .upstreamProtocolError, .streamIdleTimeout, .durationTimeout,
  ]

  /// The short names in the order in which Envoy writes them.
  package static let names: [(flag: ResponseFlags, name: StaticString)] = [
    (.noHealthyUpstream, "UH"), (.upstreamConnectionFailure, "UF"), (.upstreamOverflow, "UO"), (.noRouteFound, "NR"),
    (.upstreamRetryLimitExceeded, "URX"), (.noClusterFound, "NC"), (.downstreamConnectionTermination, "DC"),
    (.upstreamRequestTimeout, "UT"), (.upstreamConnectionTermination, "UC"), (.upstreamProtocolError, "UPE"),
    (.downstreamProtocolError, "DPE"), (.streamIdleTimeout, "SI"), (.durationTimeout, "DT"),
    (.overloadManager, "OM"),
    (.dnsResolutionFailure, "DF"), (.faultInjected, "FI"), (.delayInjected, "DI"), (.upstreamRemoteReset, "UR"),
    (.downstreamRemoteReset, "DR"),
  ]
}
