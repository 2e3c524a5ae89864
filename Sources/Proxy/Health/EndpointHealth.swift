/// The verdict on one endpoint, from single probe results: Kubernetes' thresholds, so one lost probe changes nothing.
///
///     unknown ──success──▶ healthy ──failureThreshold failures in a row──▶ unhealthy
///        └────failureThreshold failures──▶ unhealthy ──successThreshold successes in a row──▶ healthy
package struct EndpointHealth: Sendable {
  /// The verdict.
  package enum Verdict: Sendable, Equatable {
    /// No probe has come to a result yet.
    case unknown
    case healthy
    /// With the reason of the last failure.
    case unhealthy(String)
  }

  package private(set) var verdict = Verdict.unknown
  /// Failures since the last success.
  package private(set) var consecutiveFailures = 0
  /// The reason of the last failed probe, kept while failures do not yet change the verdict.
  package private(set) var lastFailure: String?
  private var consecutiveSuccesses = 0
  private let successThreshold: Int
  private let failureThreshold: Int

  package init(successThreshold: Int, failureThreshold: Int) {
    self.successThreshold = max(1, successThreshold)
    self.failureThreshold = max(1, failureThreshold)
  }

  /// Takes one result (nil: success). Returns true when the verdict changed.
  package mutating func record(failure: String?) -> Bool {
    if let failure {
      consecutiveSuccesses = 0
      consecutiveFailures += 1
      lastFailure = failure
      return fail(failure)
    }
    consecutiveFailures = 0
    consecutiveSuccesses += 1
    lastFailure = nil
    return succeed()
  }

  private mutating func fail(_ reason: String) -> Bool {
    if case .unhealthy = verdict {
      verdict = .unhealthy(reason)
      return false
    }
    guard consecutiveFailures >= failureThreshold else { return false }
    verdict = .unhealthy(reason)
    return true
  }

  private mutating func succeed() -> Bool {
    switch verdict {
    case .healthy: return false
    case .unknown:
      verdict = .healthy
      return true
    case .unhealthy:
      guard consecutiveSuccesses >= successThreshold else { return false }
      verdict = .healthy
      return true
    }
  }
}
