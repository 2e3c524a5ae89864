/// Why a request does not reach an upstream.
package struct ExplainError: Sendable, Equatable {
  /// Where it ended. The first five are those that Istio's users know.
  package enum Kind: String, Sendable, CaseIterable {
    /// Nothing listens on the port: the connection is refused.
    case noListener = "no-listener"
    /// The server name belongs to no server, or TLS met plaintext: the handshake fails.
    case noFilterChain = "no-filter-chain"
    /// The host belongs to no virtual host: 404.
    case noVirtualHost = "no-virtual-host"
    /// No rule of the virtual host matches: 404.
    case noRoute = "no-route"
    /// The server wants https: 301.
    case tlsRedirect = "tls-redirect"
    /// The chain has no certificate that can be served: the handshake fails.
    case noCertificate = "no-certificate"
    /// The message is refused before routing: 400 and its relatives.
    case badRequest = "bad-request"
    /// A regular expression exceeds its limits: 500.
    case regexLimit = "regex-limit"
    /// The rule leads to a host, port or subset that does not exist: 503.
    case noCluster = "no-cluster"
    /// The cluster has no address: 503.
    case noEndpoints = "no-endpoints"
    /// TLS cannot be originated: 503.
    case upstreamTLS = "upstream-tls"
    /// The rules lead back to where the request has been.
    case loop
  }

  package let kind: Kind
  /// In words, with what would have been accepted.
  package let message: String
  /// The status that the client gets; nil when there is no answer in HTTP.
  package let status: Int?

  package init(_ kind: Kind, _ message: String, status: Int? = nil) {
    self.kind = kind
    self.message = message
    self.status = status
  }
}
