/// An active health check of a cluster (UpstreamProbe, or a readiness probe that was understood).
package struct Probe: Sendable, Hashable {
  /// What is asked.
  package enum Kind: Sendable, Hashable {
    /// A complete HTTP/1.1 request.
    case httpGet(request: [UInt8])
    /// The same over HTTP/2, for clusters that speak it.
    case http2Get(HTTP2Request)
    /// `grpc.health.v1.Health/Check` for a service; empty for the server as a whole.
    case grpc(service: String, authority: String)
    case tcpSocket
  }

  /// A request without a body.
  package struct HTTP2Request: Sendable, Hashable {
    /// A field of it.
    package struct Field: Sendable, Hashable {
      package let name: String
      package let value: String

      package init(name: String, value: String) {
        self.name = name
        self.value = value
      }
    }

    package let method: String
    package let path: String
    package let authority: String
    package let fields: [Field]

    package init(method: String, path: String, authority: String, fields: [Field]) {
      self.method = method
      self.path = path
      self.authority = authority
      self.fields = fields
    }
  }

  /// `httpbin/httpbin`
  package var name: String
  package var cluster: Int32
  package var kind: Kind
  /// What is asked, for people: `GET https://httpbin.org:443/status/200`.
  package var target: String
  /// A port other than that of traffic.
  package var portOverride: UInt16?
  /// Uses the TLS of the cluster.
  package var usesClusterTLS: Bool
  package var initialDelaySeconds = 0
  package var periodSeconds = 10
  package var timeoutSeconds = 1
  package var successThreshold = 1
  package var failureThreshold = 3
  package var gatesReadiness = true
  package var gatesLoadBalancing = true
  /// The share of endpoints that must be healthy; 0: at least one.
  package var minHealthyPercent = 0

  package init(name: String, cluster: Int32, kind: Kind, target: String, usesClusterTLS: Bool) {
    self.name = name
    self.cluster = cluster
    self.kind = kind
    self.target = target
    self.usesClusterTLS = usesClusterTLS
  }
}
