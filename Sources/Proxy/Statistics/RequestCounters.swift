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
    /// By the upper bounds of Istio's histogram, the last is beyond.
    package var durations = InlineArray<21, Int>(repeating: 0)

    package init() {}
  }

  /// The upper bounds of Istio's `istio_request_duration_milliseconds`.
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
    let duration = stream.durationMilliseconds
    var bucket = 0
    while bucket < Self.bounds.count, duration > Self.bounds[bucket] { bucket += 1 }
    entries[place(of: key)].value.add(
      duration: duration, bucket: bucket, requestBytes: stream.requestBodyBytes, responseBytes: stream.responseBodyBytes
    )
  }
}

extension RequestCounters.Value {
  fileprivate mutating func add(duration: Int, bucket: Int, requestBytes: Int, responseBytes: Int) {
    requests += 1
    self.requestBytes += requestBytes
    self.responseBytes += responseBytes
    durationMilliseconds += duration
    durations[bucket] += 1
  }
}
