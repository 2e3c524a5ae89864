import Resources

/// Merges the Gateways of an instance into listeners and filter chains, as Istio's `MergeGateways` does.
struct ListenerBuilder {
  /// A server with its Gateway.
  struct Server {
    let gateway: Resource<Gateway>
    let server: GatewayServer
    /// As the Gateway declares it.
    let port: Int

    /// `istio-system/my-ingressgateway`
    var gatewayName: String { gateway.reference }
    /// `istio-system/my-ingressgateway:443/https`
    var text: String { "\(gateway.reference):\(port)/\(server.port?.name?.value ?? "")" }
    var portProtocol: PortProtocol { server.port?.protocolKind ?? .tcp }
    var hosts: [String] { server.hosts.map { Self.dnsName($0.value).lowercased() } }

    /// A host without its namespace part.
    static func dnsName(_ host: String) -> String {
      host.split(separator: "/", maxSplits: 1).last.map(String.init) ?? host
    }
  }

  /// A socket and the servers on it.
  struct Socket {
    let address: String
    let bindPort: Int
    let declaredPort: Int
    let isTLS: Bool
    let isHTTP: Bool
    var servers: [Server]

    /// `0.0.0.0:443`, `unix:///run/app.sock`
    var text: String { bindPort == 0 ? address : "\(address):\(bindPort)" }
  }

  private(set) var sockets: [Socket] = []
  private(set) var diagnostics: [Diagnostic] = []
  private let identity: InstanceIdentity
  private let options: CompilerOptions
  private let servicePorts: InstancePorts

  init(_ resources: ResourceSet, identity: InstanceIdentity, options: CompilerOptions) {
    self.identity = identity
    self.options = options
    servicePorts = InstancePorts(resources, identity)
    for gateway in resources.gateways.sorted(by: { $0.orderKey < $1.orderKey })
    where identity.matches(gateway.spec.selector.mapValues(\.value)) {
      for server in gateway.spec.servers {
        guard let port = server.port?.number?.value else { continue }
        place(Server(gateway: gateway, server: server, port: port))
      }
    }
  }

  private mutating func report(
    _ code: String, _ severity: Diagnostic.Severity, _ message: String, _ location: SourceLocation?, _ server: Server,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, severity, message, at: location, resource: server.gateway.description, help: help))
  }

  // MARK: Sockets

  private mutating func place(_ server: Server) {
    // A path is the whole address: no Service translates it and nothing publishes it.
    if let bind = server.server.bind, bind.value.hasPrefix(HostRules.unixPrefix) {
      return place(server, at: bind.value, 0)
    }
    if server.portProtocol == .udp {
      return report(
        "SP1001", .warning, "protocol UDP is known but not acted on", server.server.port?.protocolName?.location,
        server,
        help: "the server is left out")
    }
    for bindPort in bindPorts(server.port) { place(server, at: address(of: server), bindPort) }
  }

  private func address(of server: Server) -> String {
    server.server.bind?.value ?? options.bindAddress ?? "0.0.0.0"
  }

  /// Gateway ports are Service ports: the Service that selects this instance says which socket is meant
  /// (`push_context.go`); `--publish` overrides it.
  private mutating func bindPorts(_ port: Int) -> [Int] {
    if let local = options.publish[port] { return [local] }
    let targets = servicePorts.targets(of: port)
    for unresolved in targets.unresolved {
      let finding = MessageCatalog.finding(
        "SP1065",
        "targetPort \"\(unresolved.name)\" of \(unresolved.source.description) names no container port of a Deployment that it selects: \(targets.numbers.isEmpty ? "port \(port) is bound as it is" : "it is left out")",
        at: unresolved.port.targetPortLocation, resource: unresolved.source.resource,
        help: "write the number, give the Deployment the port, or run with --publish LOCAL:\(port)")
      if !diagnostics.contains(finding) { diagnostics.append(finding) }
    }
    return targets.numbers.isEmpty ? [port] : targets.numbers
  }

  private mutating func place(_ server: Server, at address: String, _ bindPort: Int) {
    let kind = server.portProtocol
    let isTLS = kind == .https || kind == .tls
    guard let index = sockets.firstIndex(where: { $0.address == address && $0.bindPort == bindPort }) else {
      sockets.append(
        Socket(
          address: address, bindPort: bindPort, declaredPort: server.port, isTLS: isTLS, isHTTP: kind.isHTTP,
          servers: [server]))
      return
    }
    join(server, index, isTLS: isTLS)
  }

  private mutating func join(_ server: Server, _ index: Int, isTLS: Bool) {
    let socket = sockets[index]
    guard let first = socket.servers.first else { return }
    let place = socket.text
    if socket.isTLS != isTLS {
      return report(
        "SP1020", .error,
        "\(server.text) wants \(place) for \(server.portProtocol.rawValue), but \(first.text) has it for \(first.portProtocol.rawValue)",
        server.server.port?.protocolName?.location, server, help: "the later server is left out")
    }
    if !isTLS, !(socket.isHTTP && server.portProtocol.isHTTP) {
      return report(
        "SP1020", .error,
        "\(server.text) wants \(place) for \(server.portProtocol.rawValue), but \(first.text) has it for \(first.portProtocol.rawValue); only HTTP servers can share a plaintext socket",
        server.server.port?.protocolName?.location, server, help: "the later server is left out")
    }
    if socket.declaredPort != server.port {
      return report(
        "SP1020", .error, "\(server.text) wants \(place), but \(first.text) has it for port \(socket.declaredPort)",
        server.server.port?.number?.location, server, help: "the later server is left out")
    }
    if isTLS, let duplicate = duplicateHost(server, socket) {
      return report(
        "IST0145", .error,
        "Conflict with gateways \(duplicate.other.gatewayName) (workload selector \(server.gateway.spec.selector.map { "\($0.key)=\($0.value.value)" }.sorted().joined(separator: ", ")), port \(server.port), hosts \(duplicate.host.value)).",
        duplicate.host.location, server, help: "duplicate host names on one TLS port: the later server is left out")
    }
    sockets[index].servers.append(server)
  }

  private func duplicateHost(_ server: Server, _ socket: Socket) -> (host: Located<String>, other: Server)? {
    for host in server.server.hosts {
      let name = Server.dnsName(host.value).lowercased()
      if let other = socket.servers.first(where: { $0.hosts.contains(name) }) { return (host, other) }
    }
    return nil
  }
}
