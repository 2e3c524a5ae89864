import Routing

/// How an upstream attempt failed. Decides the response flag, the status, and whether the request may be sent again.
package enum UpstreamFailure: UInt8 {
  /// No connection: refused, unreachable, TLS handshake or verification failed.
  case connectFailure
  /// No connection within the cluster's `connectTimeout`.
  case connectTimeout
  /// The upstream closed or reset the connection before any byte of a response.
  case connectionTermination
  /// As before, on a connection that had served other requests: most likely it was closed while idle.
  case staleConnection
  /// The upstream reset this stream of an HTTP/2 connection.
  case remoteReset
  /// The upstream did not begin with this stream (RFC 9113, section 8.7): sending it again cannot do harm.
  case refusedStream
  /// What came is not HTTP.
  case protocolError
  /// A circuit breaker is open.
  case overflow
  /// The response broke off in the middle.
  case truncated

  /// Whether `policy` allows another attempt after this.
  func isCovered(by policy: RetryPolicy) -> Bool {
    let conditions = policy.conditions
    switch self {
    case .connectFailure, .connectTimeout:
      return !conditions.isDisjoint(with: [.connectFailure, .serverError, .gatewayError, .reset, .resetBeforeRequest])
    case .refusedStream:
      return !conditions.isDisjoint(with: [.refusedStream, .serverError, .gatewayError, .reset])
    case .connectionTermination, .staleConnection, .protocolError, .remoteReset:
      return !conditions.isDisjoint(with: [.serverError, .gatewayError, .reset])
    case .overflow, .truncated: return false
    }
  }

  /// The response flag that Envoy would log.
  var flag: ResponseFlags {
    switch self {
    case .connectFailure, .connectTimeout: return .upstreamConnectionFailure
    case .connectionTermination, .staleConnection, .truncated: return .upstreamConnectionTermination
    case .remoteReset, .refusedStream: return .upstreamRemoteReset
    case .protocolError: return .upstreamProtocolError
    case .overflow: return .upstreamOverflow
    }
  }

  /// The request cannot have been acted on, most likely: worth one more attempt at once.
  var isHarmless: Bool { self == .staleConnection || self == .refusedStream }

  /// 502 for what is not HTTP, 503 else, as in Envoy.
  var status: Int { self == .protocolError ? 502 : 503 }

  /// Envoy's `%RESPONSE_CODE_DETAILS%` before the response began: `resetReason` with underscores. The log adds the reason of
  /// the failure.
  var details: StaticString {
    switch self {
    case .connectFailure: return "upstream_reset_before_response_started{remote_connection_failure}"
    case .connectTimeout: return "upstream_reset_before_response_started{connection_timeout}"
    case .connectionTermination, .staleConnection, .truncated:
      return "upstream_reset_before_response_started{connection_termination}"
    case .remoteReset: return "upstream_reset_before_response_started{remote_reset}"
    case .refusedStream: return "upstream_reset_before_response_started{remote_refused_stream_reset}"
    case .protocolError: return "upstream_reset_before_response_started{protocol_error}"
    case .overflow: return "upstream_reset_before_response_started{overflow}"
    }
  }

  /// Envoy's words in the body of the local reply.
  var resetReason: String {
    switch self {
    case .connectFailure: return "remote connection failure"
    case .connectTimeout: return "connection timeout"
    case .connectionTermination, .staleConnection, .truncated: return "connection termination"
    case .remoteReset: return "remote reset"
    case .refusedStream: return "remote refused stream reset"
    case .protocolError: return "protocol error"
    case .overflow: return "overflow"
    }
  }
}
