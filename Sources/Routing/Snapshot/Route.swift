/// What happens to a request that a rule matched. Trivial: a stream keeps a copy.
package struct Route: Sendable {
  /// The kind of action.
  package enum Action: UInt8, Sendable {
    /// To one of the destinations.
    case forward
    /// `actionIndex` in `Snapshot.redirects`.
    case redirect
    /// `actionIndex` in `Snapshot.directResponses`.
    case directResponse
  }

  package var action: Action
  package var actionIndex: Int32
  /// The destinations in `Snapshot.destinations`.
  package var firstDestination: Int32
  package var destinationCount: Int32
  package var totalWeight: UInt32
  /// The whole request, retries included; 0 for none.
  package var timeoutMilliseconds: Int32
  /// In `Snapshot.retryPolicies`, -1 for none.
  package var retryPolicy: Int32
  /// In `Snapshot.rewrites`, -1 for none.
  package var rewrite: Int32
  /// In `Snapshot.headerOperations`, -1 for none.
  package var requestHeaders: Int32
  package var responseHeaders: Int32
  /// What else the route asks for; empty for most.
  package var features: RouteFeatures = []
  /// In `Snapshot.routeExtras`, -1 for none.
  package var extras: Int32 = -1

  /// Stands for no route.
  package static let none = Route(
    action: .directResponse, actionIndex: -1, firstDestination: 0, destinationCount: 0, totalWeight: 0,
    timeoutMilliseconds: 0, retryPolicy: -1, rewrite: -1, requestHeaders: -1, responseHeaders: -1)
}

/// One of the places that a route sends requests to.
package struct Destination: Sendable {
  /// In `Snapshot.clusters`; -1 when the cluster does not exist (503, NC).
  package let cluster: Int32
  package let weight: UInt32
  package let requestHeaders: Int32
  package let responseHeaders: Int32
}

/// What is known of a route besides what requests need.
package struct RouteFacts: Sendable {
  /// `http[].name`, for `%ROUTE_NAME%`; with the name of the match behind a dot.
  package let name: String
  package let nameBytes: [UInt8]
  /// `httpbin/httpbin-egress`.
  package let virtualService: String
  /// Where the rule stands: `gateways/egress.yaml:31:5`.
  package let location: String
}

/// How often and when a request is sent again (VirtualService `http[].retries`).
package struct RetryPolicy: Sendable, Hashable {
  /// Conditions of `retryOn`.
  package struct Conditions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let serverError = Conditions(rawValue: 1 << 0)  // 5xx
    package static let gatewayError = Conditions(rawValue: 1 << 1)
    package static let reset = Conditions(rawValue: 1 << 2)
    package static let resetBeforeRequest = Conditions(rawValue: 1 << 3)
    package static let connectFailure = Conditions(rawValue: 1 << 4)
    package static let retriable4xx = Conditions(rawValue: 1 << 5)
    package static let refusedStream = Conditions(rawValue: 1 << 6)
    package static let retriableStatusCodes = Conditions(rawValue: 1 << 7)
    package static let rateLimited = Conditions(rawValue: 1 << 8)
    package static let grpcCancelled = Conditions(rawValue: 1 << 9)
    package static let grpcDeadlineExceeded = Conditions(rawValue: 1 << 10)
    package static let grpcInternal = Conditions(rawValue: 1 << 11)
    package static let grpcResourceExhausted = Conditions(rawValue: 1 << 12)
    package static let grpcUnavailable = Conditions(rawValue: 1 << 13)
    /// Those that the request names in `x-envoy-retriable-header-names`.
    package static let retriableHeaders = Conditions(rawValue: 1 << 14)
    package static let grpc: Conditions = [
      .grpcCancelled, .grpcDeadlineExceeded, .grpcInternal, .grpcResourceExhausted, .grpcUnavailable,
    ]
  }

  package var attempts: Int32
  package var perTryTimeoutMilliseconds: Int32
  package var backoffMilliseconds: Int32
  package var conditions: Conditions
  /// A bit for each status 400...599 that `retryOn` lists.
  package var statuses: InlineStatusSet
  /// `retryIgnorePreviousHosts`: endpoints that were tried are avoided while there are others.
  package var ignoresPreviousHosts = true
  /// `retryRemoteLocalities`: localities that were tried are avoided while there are others.
  package var prefersRemoteLocalities = false

  /// Never.
  package static let none = RetryPolicy(
    attempts: 0, perTryTimeoutMilliseconds: 0, backoffMilliseconds: 25, conditions: [], statuses: InlineStatusSet())

  /// Istio's default: 2 attempts after connect failures and refused streams; a plain 503 is not retried.
  package static let istioDefault = RetryPolicy(
    attempts: 2, perTryTimeoutMilliseconds: 0, backoffMilliseconds: 25,
    conditions: [.connectFailure, .refusedStream, .grpcUnavailable, .grpcCancelled, .retriableStatusCodes],
    statuses: InlineStatusSet())

  /// Whether a response with `status` is worth another attempt.
  package func covers(status: Int) -> Bool {
    if conditions.contains(.serverError), status >= 500 { return true }
    if conditions.contains(.gatewayError), (502...504).contains(status) { return true }
    if conditions.contains(.retriable4xx), status == 409 { return true }
    return conditions.contains(.retriableStatusCodes) && statuses.contains(status)
  }

  /// Whether a response whose head carries this gRPC status is worth another attempt.
  package func covers(grpcStatus: Int) -> Bool {
    switch grpcStatus {
    case 1: return conditions.contains(.grpcCancelled)
    case 4: return conditions.contains(.grpcDeadlineExceeded)
    case 8: return conditions.contains(.grpcResourceExhausted)
    case 13: return conditions.contains(.grpcInternal)
    case 14: return conditions.contains(.grpcUnavailable)
    default: return false
    }
  }

  /// Something after the first byte of the request may lead to another attempt: the body must be kept for it. Connection
  /// failures and refused streams come before the body leaves.
  package var needsBody: Bool {
    var late = conditions.subtracting([.connectFailure, .refusedStream, .resetBeforeRequest, .retriableHeaders])
    if statuses.isEmpty { late.remove(.retriableStatusCodes) }
    return attempts > 0 && !late.isEmpty
  }
}

/// A set of statuses from 400 to 599, without a heap.
package struct InlineStatusSet: Sendable, Hashable {
  private var bits0: UInt64 = 0
  private var bits1: UInt64 = 0
  private var bits2: UInt64 = 0
  private var bits3: UInt64 = 0

  package init() {}

  package var isEmpty: Bool { bits0 | bits1 | bits2 | bits3 == 0 }

  /// Adds a status; others than 400...599 are ignored.
  package mutating func insert(_ status: Int) {
    guard (400...599).contains(status) else { return }
    let bit: UInt64 = 1 << UInt64((status - 400) & 63)
    switch (status - 400) >> 6 {
    case 0: bits0 |= bit
    case 1: bits1 |= bit
    case 2: bits2 |= bit
    default: bits3 |= bit
    }
  }

  package func contains(_ status: Int) -> Bool {
    guard (400...599).contains(status) else { return false }
    let bit: UInt64 = 1 << UInt64((status - 400) & 63)
    switch (status - 400) >> 6 {
    case 0: return bits0 & bit != 0
    case 1: return bits1 & bit != 0
    case 2: return bits2 & bit != 0
    default: return bits3 & bit != 0
    }
  }
}
