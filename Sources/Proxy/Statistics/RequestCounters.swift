/// Requests by outcome, for `istio_requests_total` and its latency histogram. Bounded: hosts × statuses × flags that
/// occur.
package struct RequestCounters {
  /// What is told apart.
  package struct Key: Hashable, Sendable {
    /// The number of the cluster's host among the worker's `requestHosts`, -1 for answers without a cluster.
    package let host: Int32
    package let status: Int16
    package let flags: ResponseFlags
    package let isTLS: Bool
  }

  /// What is counted.
  package struct Value: Sendable {
    package var requests = 0
    package var requestBytes = 0
    package var responseBytes = 0
    package var durationMilliseconds = 0
    /// By `bounds`, the last is beyond: milliseconds, bytes of request bodies, bytes of response bodies.
    package var durations = Buckets(repeating: 0)
    package var requestSizes = Buckets(repeating: 0)
    package var responseSizes = Buckets(repeating: 0)

    package init() {}
  }

  package typealias Buckets = InlineArray<19, Int>

  /// The upper bounds of Istio's histograms, which are Envoy's for all of them.
  package static let bounds: [Int] = [
    1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
  ]

  private var entries: [(key: Key, value: Value)] = []
  private var places: [Key: Int] = [:]
  /// Most requests end like the one before them: then nothing is hashed.
  private var lastPlace = 0

  /// All that was counted.
  package var values: [Key: Value] {
    Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
  }

  private mutating func place(of key: Key) -> Int {
    if lastPlace < entries.count, entries[lastPlace].key == key { return lastPlace }
    if let known = places[key] {
      lastPlace = known
    } else {
      lastPlace = entries.count
      places[key] = lastPlace
      entries.append((key, Value()))
    }
    return lastPlace
  }

  /// Counts one finished stream.
  mutating func count(_ stream: Stream) {
    let key = Key(
      host: stream.cluster.map { $0.with { $0.hostNumber } } ?? -1,
      status: Int16(clamping: stream.response.status),
      flags: stream.flags, isTLS: stream.source.isTLS)
    entries[place(of: key)].value.add(
      duration: stream.durationMilliseconds, requestBytes: stream.requestBodyBytes,
      responseBytes: stream.responseBodyBytes)
  }

  /// The first of `bounds` that a value does not exceed, or their number. A tree of comparisons with constants: most
  /// durations and bodies are small, and nothing is loaded.
  @inline(__always)
  static func bucket(_ value: Int) -> Int {
    if value <= 50 {
      if value <= 1 { return 0 }
      return value <= 10 ? (value <= 5 ? 1 : 2) : (value <= 25 ? 3 : 4)
    }
    if value <= 2500 {
      if value <= 250 { return value <= 100 ? 5 : 6 }
      return value <= 1000 ? (value <= 500 ? 7 : 8) : 9
    }
    if value <= 60_000 {
      return value <= 10_000 ? (value <= 5000 ? 10 : 11) : (value <= 30_000 ? 12 : 13)
    }
    if value <= 600_000 { return value <= 300_000 ? 14 : 15 }
    return value <= 3_600_000 ? (value <= 1_800_000 ? 16 : 17) : 18
  }
}

extension RequestCounters.Value {
  @inline(__always)
  fileprivate mutating func add(duration: Int, requestBytes: Int, responseBytes: Int) {
    requests += 1
    self.requestBytes += requestBytes
    self.responseBytes += responseBytes
    durationMilliseconds += duration
    durations[RequestCounters.bucket(duration)] += 1
    requestSizes[RequestCounters.bucket(requestBytes)] += 1
    responseSizes[RequestCounters.bucket(responseBytes)] += 1
  }
}
