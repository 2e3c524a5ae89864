import Resources
import Wire

/// Which sockets begin with a PROXY protocol header: all of an instance whose `gatewayTopology` says so, as in Istio, or
/// those of servers that an annotation of their Gateway names.
struct ProxyProtocolBuilder {
  /// The names of the servers' ports, joined by commas, or `*`.
  static let annotation = "sallyport.dev/proxy-protocol"
  /// The ranges of the senders that are believed, joined by commas; everybody without it.
  static let trustedAnnotation = "sallyport.dev/proxy-protocol-trusted-sources"

  private(set) var diagnostics: [Diagnostic] = []
  private let isForAll: Bool

  init(_ resources: ResourceSet, identity: InstanceIdentity) {
    isForAll = MeshProxyConfig.all(resources, identity).contains { $0.gatewayTopology?.acceptsProxyProtocol ?? false }
  }

  /// The index of the socket's policy in `policies`, -1 without.
  mutating func policy(for socket: ListenerBuilder.Socket, _ policies: inout [ProxyProtocolPolicy]) -> Int32 {
    guard let policy = policy(for: socket) else { return -1 }
    if let index = policies.firstIndex(of: policy) { return Int32(index) }
    policies.append(policy)
    return Int32(policies.count - 1)
  }

  private mutating func policy(for socket: ListenerBuilder.Socket) -> ProxyProtocolPolicy? {
    if isForAll { return ProxyProtocolPolicy(trustedSources: []) }
    let asking = socket.servers.filter(asks)
    guard let first = asking.first else { return nil }
    // The header comes before the server name: servers that share a socket share this, too.
    if let other = socket.servers.first(where: { !asks($0) }) {
      report(
        .warning,
        "\(first.text) asks for the PROXY protocol, and \(other.text) shares its socket: it is asked for on both",
        first)
    }
    var trusted: [IPPrefix] = []
    for server in asking {
      guard let ranges = trustedSources(server) else { return ProxyProtocolPolicy(trustedSources: []) }
      trusted += ranges
    }
    return ProxyProtocolPolicy(trustedSources: trusted)
  }

  private func asks(_ server: ListenerBuilder.Server) -> Bool {
    let names = Self.words(server.gateway.metadata.annotations[Self.annotation] ?? "")
    return names.contains("*") || names.contains(server.server.port?.name?.value ?? "")
  }

  /// nil: everybody is believed. A range that cannot be read is left out, so that a mistake trusts fewer, not more.
  private mutating func trustedSources(_ server: ListenerBuilder.Server) -> [IPPrefix]? {
    guard let text = server.gateway.metadata.annotations[Self.trustedAnnotation] else { return nil }
    var ranges: [IPPrefix] = []
    for word in Self.words(text) {
      if let range = IPPrefix(word) {
        ranges.append(range)
      } else {
        report(.error, "annotation \(Self.trustedAnnotation): \"\(word)\" is not an address or range", server)
      }
    }
    // Nobody rather than everybody: an unspecified address is no client's.
    if ranges.isEmpty, let nobody = IPPrefix("0.0.0.0/32") { ranges = [nobody] }
    return ranges
  }

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
  }

  private mutating func report(_ severity: Diagnostic.Severity, _ message: String, _ server: ListenerBuilder.Server) {
    let diagnostic = Diagnostic(
      "SP1054", severity, message, at: server.gateway.location, resource: server.gateway.description)
    if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
  }
}
