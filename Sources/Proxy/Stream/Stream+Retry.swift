import Routing
import Transport
import Wire

/// An endpoint that an attempt of this request failed at.
struct TriedEndpoint {
  let address: SocketAddress
  let priority: Int32
}

/// Whether another attempt is worthwhile and allowed.
extension Stream {
  /// Whether the response whose head is in `response` leads to another attempt, by the route's policy.
  func shouldRetry() -> Bool {
    // The usual answer: a success with a body.
    if response.status < 400, response.framing != .none, ownRetryPolicy == nil { return false }
    let policy = retryPolicy
    return policy.attempts > 0 && isRepeatable && isCovered(by: policy) && takeRetry()
  }

  /// Envoy's order: overloaded upstreams are left alone, rate limits have a condition of their own.
  private func isCovered(by policy: RetryPolicy) -> Bool {
    let status = response.status
    if policy.conditions.contains(.retriableHeaders), hasRetriableField { return true }
    // Only a response without a body carries its gRPC status in the head.
    if status < 400 { return covers(grpc: policy) }
    if response.headers.contains(.xEnvoyOverloaded) { return false }
    if response.headers.contains(.xEnvoyRateLimited) { return policy.conditions.contains(.rateLimited) }
    return policy.covers(status: status) || covers(grpc: policy)
  }

  /// The response has a field that the request named in `x-envoy-retriable-header-names`.
  private var hasRetriableField: Bool {
    retriableFields.contains { response.headers.index(named: $0.span.raw) >= 0 }
  }

  private func covers(grpc policy: RetryPolicy) -> Bool {
    response.grpcStatus.map(policy.covers(grpcStatus:)) ?? false
  }

  /// Takes one of the retries that are left; says with a flag when none is.
  func takeRetry() -> Bool {
    let policy = retryPolicy
    guard policy.attempts > 0 else { return false }
    guard retriesLeft > 0 else {
      flags.insert(.upstreamRetryLimitExceeded)
      return false
    }
    guard !hasLimits || holdRetry() else {
      flags.insert(.upstreamOverflow)
      isRetryOverflow = true
      cluster?.with { $0.counters.retryOverflows += 1 }
      return false
    }
    retriesLeft -= 1
    return true
  }

  /// Remembers where the attempt failed, and tells the next upstream which attempt it gets.
  func prepareRetry(_ policy: RetryPolicy) {
    if policy.ignoresPreviousHosts || policy.prefersRemoteLocalities, let upstreamAddress {
      let priority = cluster?.with { $0.priority(of: upstreamAddress) } ?? 0
      tried.append(TriedEndpoint(address: upstreamAddress, priority: priority))
    }
    request.headers.remove(.xEnvoyAttemptCount)
    request.headers.append(.xEnvoyAttemptCount, attempts + 1)
  }
}
