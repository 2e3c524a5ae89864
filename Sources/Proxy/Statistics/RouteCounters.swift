import Wire

/// The requests of one `statPrefix` of a virtual host that were forwarded, in the vocabulary of Envoy's
/// `vhost.NAME.route.PREFIX.upstream_rq_…`.
package struct RouteCounters: Sendable {
  /// `upstream_rq_total`
  package var requests = 0
  /// `upstream_rq_1xx` … `upstream_rq_5xx`, by the first digit of the status that the client got.
  package var responses: InlineArray<6, Int> = .init(repeating: 0)
  /// `upstream_rq_retry`
  package var retries = 0
  /// `upstream_rq_retry_success`: requests that were retried and answered with less than 500.
  package var retrySuccesses = 0
  /// `upstream_rq_retry_limit_exceeded`
  package var retryLimitsExceeded = 0
  /// `upstream_rq_retry_overflow`
  package var retryOverflows = 0
  /// `upstream_rq_timeout`
  package var timeouts = 0
  /// `upstream_rq_time`, by `RequestCounters.bounds` and in sum: milliseconds from the end of the request to the end of
  /// the upstream's response.
  package var durations = RequestCounters.Buckets(repeating: 0)
  package var durationMilliseconds = 0

  package init() {}

  package static func += (sum: inout Self, other: Self) {
    sum.requests += other.requests
    for index in 0..<6 { sum.responses[index] += other.responses[index] }
    sum.retries += other.retries
    sum.retrySuccesses += other.retrySuccesses
    sum.retryLimitsExceeded += other.retryLimitsExceeded
    sum.retryOverflows += other.retryOverflows
    sum.timeouts += other.timeouts
    for index in sum.durations.indices { sum.durations[index] += other.durations[index] }
    sum.durationMilliseconds += other.durationMilliseconds
  }

  /// Counts one finished stream.
  mutating func count(_ stream: Stream) {
    let status = stream.response.status
    requests += 1
    responses[min(5, max(0, status / 100))] += 1
    if stream.attempts > 1 {
      retries += stream.attempts - 1
      if status > 0, status < 500 { retrySuccesses += 1 }
    }
    if stream.flags.contains(.upstreamRetryLimitExceeded) { retryLimitsExceeded += 1 }
    if stream.isRetryOverflow { retryOverflows += 1 }
    if stream.flags.contains(.upstreamRequestTimeout) { timeouts += 1 }
    if let milliseconds = stream.upstreamMilliseconds {
      durations[RequestCounters.bucket(milliseconds)] += 1
      durationMilliseconds += milliseconds
    }
  }
}

/// What is counted together: a `statPrefix` of a virtual host.
package struct RouteStatisticsName: Hashable, Sendable {
  /// `checkout.example.com:443`
  package let virtualHost: String
  package let prefix: String
}

/// Numbers for names, given once and kept, as `RequestHosts` does: counters live on across reloads.
struct RouteStatistics {
  private(set) var names: [RouteStatisticsName] = []
  private(set) var counters: [RouteCounters] = []
  private var numbers: [RouteStatisticsName: Int32] = [:]

  /// The number of a name; a new one for a name that was never seen.
  mutating func number(of name: RouteStatisticsName) -> Int32 {
    if let known = numbers[name] { return known }
    let number = Int32(names.count)
    numbers[name] = number
    names.append(name)
    counters.append(RouteCounters())
    return number
  }

  /// Counts one finished stream under a number.
  mutating func count(_ stream: Stream, _ number: Int32) {
    if number >= 0 { counters[Int(number)].count(stream) }
  }

  /// Sets all to zero.
  mutating func reset() {
    for index in counters.indices { counters[index] = RouteCounters() }
  }
}
