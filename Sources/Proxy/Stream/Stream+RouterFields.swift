import Routing
import Wire

/// What a client on a private network may ask of the router, as Envoy's router filter lets internal requests do. The fields
/// of all others were removed before.
extension Stream {
  /// Does what the fields say, and takes them off the request.
  func takeRouterFields() {
    var policy = retryPolicy
    let hadConditions = !policy.conditions.isEmpty && policy.attempts > 0
    if !hadConditions { policy.conditions = [] }
    if let text = value(of: .xEnvoyRetryOn) { policy.add(fieldValue: text, isGRPC: false) }
    if let text = value(of: .xEnvoyRetryGRPCOn) { policy.add(fieldValue: text, isGRPC: true) }
    // Envoy's number of retries for those who only say when.
    if !hadConditions, !policy.conditions.isEmpty { policy.attempts = 1 }
    if !policy.conditions.isEmpty, let most = number(of: .xEnvoyMaxRetries) { policy.attempts = most }
    for code in list(.xEnvoyRetriableStatusCodes) { Int(code).map { policy.statuses.insert($0) } }
    retriableFields = list(.xEnvoyRetriableHeaderNames).map { Array($0.lowercased().utf8) }
    if let milliseconds = number(of: .xEnvoyUpstreamTimeout) { route.timeoutMilliseconds = milliseconds }
    if let milliseconds = number(of: .xEnvoyPerTryTimeout) { policy.perTryTimeoutMilliseconds = milliseconds }
    let whole = route.timeoutMilliseconds
    if whole > 0, policy.perTryTimeoutMilliseconds >= whole { policy.perTryTimeoutMilliseconds = 0 }
    request.removeRouterFields()
    request.setExpectedTimeout(Int(policy.perTryTimeoutMilliseconds > 0 ? policy.perTryTimeoutMilliseconds : whole))
    ownRetryPolicy = policy
    retriesLeft = Int(policy.attempts)
    let isLate = policy.needsBody || (policy.attempts > 0 && !retriableFields.isEmpty)
    keepsBody = isLate && !request.wantsUpgrade
  }

  private func value(of token: HeaderName) -> String? {
    let index = request.headers.firstIndex(of: token)
    return index >= 0 ? request.text(request.headers.field(at: index).value) : nil
  }

  private func list(_ token: HeaderName) -> [Substring] {
    (value(of: token) ?? "").split(whereSeparator: { $0 == "," || $0 == " " })
  }

  /// A number that is not negative; others are ignored, as by Envoy.
  private func number(of token: HeaderName) -> Int32? {
    value(of: token).flatMap { Int32($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }
}
