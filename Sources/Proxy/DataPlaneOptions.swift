import Transport

/// How the data plane is set up, besides what resources say.
package struct DataPlaneOptions: Sendable {
  /// Worker threads, at least 1.
  package var workers = 1
  package var limits = ProxyLimits()
  /// The address to bind for listeners that do not name one.
  package var bindAddress: String?
  package var resolveOverrides: [ResolveOverride] = []
  /// Name servers as `ADDRESS:PORT`; empty: those of the system.
  package var dnsServers: [String] = []
  package var accessLog = AccessLogFormat.text

  package init() {}
}

/// The form of access log lines.
package enum AccessLogFormat: String, Sendable, CaseIterable {
  case text, json, off
}

/// Where connections to one host and port really go: `--resolve`, curl's notation.
package struct ResolveOverride: Sendable, Hashable {
  package let host: String
  package let port: UInt16
  /// With port 0: the port stays.
  package let address: SocketAddress

  package init(host: String, port: UInt16, address: SocketAddress) {
    self.host = host.lowercased()
    self.port = port
    self.address = address
  }

  func applies(to name: String, port: UInt16) -> Bool {
    host == name.lowercased() && self.port == port
  }
}

/// Something of a snapshot that could not be put to work. Everything else serves.
package struct PublishProblem: Sendable {
  /// What is concerned: a listener, a filter chain, a cluster.
  package let subject: String
  package let reason: String
  /// A socket could not be bound.
  package let isBindFailure: Bool
}
