import Wire

/// An upstream: a host at a port, perhaps a subset of it, with the policy that applies to this instance.
package final class Cluster: Sendable {
  /// How endpoints become known; Envoy's names.
  package enum Discovery: String, Sendable {
    /// IP addresses from a ServiceEntry.
    case `static` = "STATIC"
    /// IP addresses from EndpointSlices.
    case endpoints = "EDS"
    /// Every address of the names is an endpoint.
    case strictDNS = "STRICT_DNS"
    /// New connections go to the first address.
    case logicalDNS = "LOGICAL_DNS"
  }

  /// The load balancing policy (DestinationRule `loadBalancer.simple`).
  package enum LoadBalancing: String, Sendable {
    case leastRequest = "LEAST_REQUEST"
    case roundRobin = "ROUND_ROBIN"
    case random = "RANDOM"
  }

  /// What requests are sent in.
  package enum HTTPProtocol: String, Sendable {
    case http1 = "HTTP/1.1"
    case http2 = "HTTP/2"
    /// What the client's request came in (`useClientProtocol`).
    case asDownstream = "as downstream"
  }

  /// An endpoint with a known address.
  package struct Endpoint: Sendable, Hashable {
    /// An IP literal, or `unix://` with a path or `@name`.
    package let address: String
    /// 0 for unix-domain sockets.
    package let port: UInt16
    package let weight: UInt32
    package let locality: String
    /// Used while those of lower numbers can take the traffic; without gaps, from 0.
    package var priority: Int32 = 0
    /// The share of its locality; 0 where localities have none of their own.
    package var localityWeight: UInt32 = 0

    /// `127.0.0.1:80`, `[::1]:80`, `unix:///run/app.sock`
    package var text: String {
      if port == 0 { return address }
      return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    package init(address: String, port: UInt16, weight: UInt32, locality: String) {
      self.address = address
      self.port = port
      self.weight = weight
      self.locality = locality
    }
  }

  /// A name whose addresses are endpoints.
  package struct DNSName: Sendable, Hashable {
    package let name: String
    package let port: UInt16
    package let weight: UInt32
    package let locality: String
    /// As of an endpoint.
    package var priority: Int32 = 0
    package var localityWeight: UInt32 = 0

    package init(name: String, port: UInt16, weight: UInt32, locality: String = "") {
      self.name = name
      self.port = port
      self.weight = weight
      self.locality = locality
    }
  }

  /// How a forward proxy is asked for the real target (DestinationRule `tunnel`).
  package struct Tunnel: Sendable, Hashable {
    /// POST with a chunked body instead of CONNECT.
    package var usesPOST: Bool
    /// `host:port`, IPv6 in brackets.
    package var target: String
  }

  /// When a connection in HTTP/2 is asked whether it is alive (DestinationRule `http2KeepAlive`), in milliseconds.
  package struct HTTP2KeepAlive: Sendable, Hashable {
    /// From one PING to the next.
    package var interval: Int64
    /// For the answer; the connection closes without one.
    package var timeout: Int64
  }

  /// The settings of a cluster; a plain value, so that clusters can be compared.
  package struct Settings: Sendable, Hashable {
    /// `outbound|443|http-egress-subset|httpbin.org`
    package var name: String
    package var host: String
    package var port: UInt16
    package var subset: String
    package var discovery: Discovery
    package var endpoints: [Endpoint] = []
    package var dnsNames: [DNSName] = []
    package var isExternal = false
    /// TCP and TLS together. Istio: 10 s.
    package var connectTimeoutMilliseconds: Int32 = 10_000
    /// A connection without requests. Istio: 1 h; 0 for no limit.
    package var idleTimeoutMilliseconds: Int32 = 3_600_000
    /// A proxied TCP connection on which nothing moves, in either direction. Istio: 1 h; 0 for no limit.
    package var tcpIdleTimeoutMilliseconds: Int32 = 3_600_000
    /// The life of a connection to the upstream, and of a proxied TCP connection; 0 for no limit.
    package var maxConnectionDurationMilliseconds: Int32 = 0
    /// nil: connections are not probed.
    package var tcpKeepAlive: KeepAlivePolicy?
    /// The header that connections begin with, outside TLS; nil for none.
    package var proxyProtocol: ProxyProtocolHeader.Version?
    /// The endpoints are forward proxies that are asked for another target.
    package var tunnel: Tunnel?
    /// Requests after which a connection is closed; 0 for no limit.
    package var maxRequestsPerConnection = 0
    package var loadBalancing = LoadBalancing.leastRequest
    /// Replaces `loadBalancing`.
    package var hashPolicy: HashPolicy?
    package var circuitBreakers = CircuitBreakers.none
    package var outlierDetection: OutlierPolicy?
    /// With fewer healthy endpoints of a hundred than this, all are used (Envoy's panic threshold); 0 for never.
    package var minHealthPercent = 0
    /// Zones are weighted by what they can take.
    package var zoneAware: ZoneAwarePolicy?
    /// For `ROUND_ROBIN` and `LEAST_REQUEST`.
    package var warmup: WarmupPolicy?
    package var httpProtocol = HTTPProtocol.http1
    /// Requests at a time on one connection in HTTP/2; more get another connection.
    package var maxConcurrentStreams = Int.max
    package var http2KeepAlive: HTTP2KeepAlive?
    package var tls: TLSClientPolicy?
    /// The DestinationRule in force: `httpbin-egress.httpbin`.
    package var destinationRule: String?

    package init(name: String, host: String, port: UInt16, subset: String, discovery: Discovery) {
      self.name = name
      self.host = host
      self.port = port
      self.subset = subset
      self.discovery = discovery
    }
  }

  package let settings: Settings
  /// The index in the snapshot.
  package let index: Int32

  package init(settings: Settings, index: Int32) {
    self.settings = settings
    self.index = index
  }

  package var name: String { settings.name }
  package var host: String { settings.host }

  /// Whether two snapshots mean the same cluster: then its pools and counters live on.
  package func isUnchanged(from other: Cluster) -> Bool { settings == other.settings }
}

/// How TLS is originated (DestinationRule `tls`, after all levels were merged).
package struct TLSClientPolicy: Sendable, Hashable {
  /// Where trusted certificates come from.
  package enum Authority: Sendable, Hashable {
    case system
    case pem([UInt8])
    case file(String)
  }

  /// Where a certificate comes from.
  package enum Identity: Sendable, Hashable {
    case pem(chain: [UInt8], key: [UInt8])
    case files(chain: String, key: String)
  }

  /// `SIMPLE`, `MUTUAL`, `ISTIO_MUTUAL`
  package var mode: String
  /// The server name to send; nil for none.
  package var serverName: String?
  /// The name that the certificate must be for; nil when only `subjectAltNames` or nothing is checked.
  package var verifiedHost: String?
  /// One of these must be among the certificate's names, exactly; empty for no such check.
  package var subjectAltNames: [String] = []
  package var authority: Authority = .system
  package var crlFile: String?
  package var identity: Identity?
  package var insecureSkipVerify = false
  /// `credentialName`, where certificates come from a secret.
  package var credentialName: String?
  /// Why TLS cannot be originated: no secret. Requests get 503 UF.
  package var problem: String?

  package init(mode: String) {
    self.mode = mode
  }
}
