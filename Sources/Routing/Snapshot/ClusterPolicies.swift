/// Limits of what a cluster may have under way on the whole instance (DestinationRule `connectionPool`); `Int.max` where
/// nothing is said.
package struct CircuitBreakers: Sendable, Hashable {
  /// `tcp.maxConnections`
  package var maxConnections = Int.max
  /// `http.http1MaxPendingRequests`: requests that wait for a connection.
  package var maxPendingRequests = Int.max
  /// `http.http2MaxRequests`: requests at endpoints, whatever version of HTTP.
  package var maxRequests = Int.max
  /// `http.maxRetries`: retries under way.
  package var maxRetries = Int.max
  /// Takes the place of `maxRetries`.
  package var retryBudget: RetryBudget?

  /// How many of the requests may be retries (DestinationRule `retryBudget`).
  package struct RetryBudget: Sendable, Hashable {
    /// Of the requests under way, waiting ones included.
    package var percent = 20.0
    /// So many are always allowed.
    package var minRetryConcurrency = 3
    /// Requests that began within it count as well; 0 for those under way alone.
    package var intervalMilliseconds: Int64 = 0

    package init() {}
  }

  /// Nothing is limited.
  package static let none = CircuitBreakers()

  package init() {}
}

/// How the kernel finds out that the other side of a silent connection is gone (DestinationRule `tcpKeepalive`); 0 where
/// the system's setting holds.
package struct KeepAlivePolicy: Sendable, Hashable {
  /// Silence before the first probe.
  package var timeSeconds: Int32 = 0
  /// Between probes.
  package var intervalSeconds: Int32 = 0
  /// Probes without an answer after which the connection is dead.
  package var probes: Int32 = 0

  package init() {}
}

/// When endpoints that fail are left out for a while (DestinationRule `outlierDetection`). Times are in milliseconds.
package struct OutlierPolicy: Sendable, Hashable {
  /// Errors in a row, 0 for never.
  package var consecutive5xxErrors = 5
  /// Of 502, 503, 504 in a row, 0 for never.
  package var consecutiveGatewayErrors = 0
  /// Connection failures, resets and timeouts in a row; counts only when they are split from what upstreams answer.
  package var consecutiveLocalOriginFailures = 5
  package var splitsLocalOriginErrors = false
  /// How often it is looked whether an ejection is over.
  package var intervalMilliseconds: Int64 = 10_000
  /// The first ejection's length; the n-th takes n times as long.
  package var baseEjectionMilliseconds: Int64 = 30_000
  /// Of the endpoints; one may always be ejected.
  package var maxEjectionPercent = 10
  /// `outlierDetectionHttpErrorCodes`: the statuses that are errors, instead of 500 and above.
  package var errorStatuses: [Int] = []

  /// Envoy's `max_ejection_time`, unless the base is longer.
  package var maxEjectionMilliseconds: Int64 { max(300_000, baseEjectionMilliseconds) }

  package init() {}
}

/// Requests that are alike go to the same endpoint (DestinationRule `loadBalancer.consistentHash`).
package struct HashPolicy: Sendable, Hashable {
  /// What makes requests alike.
  package enum Key: Sendable, Hashable {
    /// The values of a field, its name in lower case.
    case header([UInt8])
    case cookie(Cookie)
    case sourceIP
    case queryParameter([UInt8])
  }

  /// A cookie; one is made for clients that have none, if it has a lifetime.
  package struct Cookie: Sendable, Hashable {
    package var name: [UInt8]
    /// What `set-cookie` says behind name and value: `; Max-Age=…; Path=…; HttpOnly`. nil: no cookie is made.
    package var suffix: [UInt8]?
  }

  /// How endpoints are found by hash.
  package enum Table: Sendable, Hashable {
    /// Ketama's ring with at least so many places.
    case ring(minimumSize: Int)
    /// Maglev's table of so many places, a prime.
    case maglev(size: Int)
  }

  package var key: Key
  package var table: Table

  package init(key: Key, table: Table) {
    self.key = key
    self.table = table
  }
}
