/// A field name that the gateway knows, resolved once at parse. `other` is every name it does not care about.
package enum HeaderName: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  case other = 0
  // Framing and connection (RFC 9112).
  case host, connection, contentLength, transferEncoding, te, trailer, upgrade, expect, keepAlive, proxyConnection
  case http2Settings
  // Written or read by gateways.
  case date, server, via, location
  case xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xForwardedClientCert, xRequestID
  case xEnvoyExternalAddress, xEnvoyOriginalPath, xEnvoyUpstreamServiceTime, xEnvoyAttemptCount
  case xEnvoyExpectedTimeout, xEnvoyUpstreamTimeout, xEnvoyPerTryTimeout, xEnvoyRetryOn, xEnvoyRetryGRPCOn
  case xEnvoyMaxRetries, xEnvoyInternal, xEnvoyDecoratorOperation, xEnvoyPeerMetadata, xEnvoyPeerMetadataID
  case xEnvoyForceTrace, xEnvoyDownstreamServiceCluster, xEnvoyDownstreamServiceNode, xEnvoyOriginalHost
  case xEnvoyIPTags, xEnvoyHedge, xEnvoyRetriableStatusCodes, xEnvoyRetriableHeaderNames, xEnvoyOverloaded
  case xEnvoyTimeoutAlternateResponse, xEnvoyRateLimited, xEnvoyImmediateHealthCheckFail
  // Content and routing.
  case userAgent, contentType, origin, cookie, setCookie, authorization, accept, grpcStatus, grpcMessage, grpcTimeout
  case accessControlRequestMethod, sallyportExplain

  /// The name as it is written by this gateway: lower case, as Envoy does.
  @inline(__always)
  package var text: StaticString {
    switch self {
    case .other: return ""
    case .host: return "host"
    case .connection: return "connection"
    case .contentLength: return "content-length"
    case .transferEncoding: return "transfer-encoding"
    case .te: return "te"
    case .trailer: return "trailer"
    case .upgrade: return "upgrade"
    case .expect: return "expect"
    case .keepAlive: return "keep-alive"
    case .proxyConnection: return "proxy-connection"
    case .http2Settings: return "http2-settings"
    case .date: return "date"
    case .server: return "server"
    case .via: return "via"
    case .location: return "location"
    case .xForwardedFor: return "x-forwarded-for"
    case .xForwardedProto: return "x-forwarded-proto"
    case .xForwardedHost: return "x-forwarded-host"
    case .xForwardedPort: return "x-forwarded-port"
    case .xForwardedClientCert: return "x-forwarded-client-cert"
    case .xRequestID: return "x-request-id"
    case .xEnvoyExternalAddress: return "x-envoy-external-address"
    case .xEnvoyOriginalPath: return "x-envoy-original-path"
    case .xEnvoyUpstreamServiceTime: return "x-envoy-upstream-service-time"
    case .xEnvoyAttemptCount: return "x-envoy-attempt-count"
    case .xEnvoyExpectedTimeout: return "x-envoy-expected-rq-timeout-ms"
    case .xEnvoyUpstreamTimeout: return "x-envoy-upstream-rq-timeout-ms"
    case .xEnvoyPerTryTimeout: return "x-envoy-upstream-rq-per-try-timeout-ms"
    case .xEnvoyRetryOn: return "x-envoy-retry-on"
    case .xEnvoyRetryGRPCOn: return "x-envoy-retry-grpc-on"
    case .xEnvoyMaxRetries: return "x-envoy-max-retries"
    case .xEnvoyInternal: return "x-envoy-internal"
    case .xEnvoyDecoratorOperation: return "x-envoy-decorator-operation"
    case .xEnvoyPeerMetadata: return "x-envoy-peer-metadata"
    case .xEnvoyPeerMetadataID: return "x-envoy-peer-metadata-id"
    case .xEnvoyForceTrace: return "x-envoy-force-trace"
    case .xEnvoyDownstreamServiceCluster: return "x-envoy-downstream-service-cluster"
    case .xEnvoyDownstreamServiceNode: return "x-envoy-downstream-service-node"
    case .xEnvoyOriginalHost: return "x-envoy-original-host"
    case .xEnvoyIPTags: return "x-envoy-ip-tags"
    case .xEnvoyHedge: return "x-envoy-hedge-on-per-try-timeout"
    case .xEnvoyRetriableStatusCodes: return "x-envoy-retriable-status-codes"
    case .xEnvoyRetriableHeaderNames: return "x-envoy-retriable-header-names"
    case .xEnvoyOverloaded: return "x-envoy-overloaded"
    case .xEnvoyTimeoutAlternateResponse: return "x-envoy-upstream-rq-timeout-alt-response"
    case .xEnvoyRateLimited: return "x-envoy-ratelimited"
    case .xEnvoyImmediateHealthCheckFail: return "x-envoy-immediate-health-check-fail"
    case .userAgent: return "user-agent"
    case .contentType: return "content-type"
    case .origin: return "origin"
    case .cookie: return "cookie"
    case .setCookie: return "set-cookie"
    case .authorization: return "authorization"
    case .accept: return "accept"
    case .grpcStatus: return "grpc-status"
    case .grpcMessage: return "grpc-message"
    case .grpcTimeout: return "grpc-timeout"
    case .accessControlRequestMethod: return "access-control-request-method"
    case .sallyportExplain: return "x-sallyport-explain"
    }
  }

  /// Belongs to Envoy's private vocabulary; from outside it is not believed.
  package var isEnvoyHeader: Bool {
    rawValue >= HeaderName.xEnvoyExternalAddress.rawValue
      && rawValue <= HeaderName.xEnvoyImmediateHealthCheckFail.rawValue
  }

  /// Tells a router how to treat the request, and ends there.
  var isRouterField: Bool {
    switch self {
    case .xEnvoyUpstreamTimeout, .xEnvoyPerTryTimeout, .xEnvoyRetryOn, .xEnvoyRetryGRPCOn, .xEnvoyMaxRetries,
      .xEnvoyHedge, .xEnvoyRetriableStatusCodes, .xEnvoyRetriableHeaderNames:
      return true
    default: return false
    }
  }
}
