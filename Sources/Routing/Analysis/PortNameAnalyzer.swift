import Resources

/// Names of Service ports, which tell their protocols.
enum PortNameAnalyzer {
  private static let protocols: Set<String> = [
    "http", "http2", "https", "grpc", "grpc-web", "mongo", "mysql", "redis", "tcp", "tls", "udp", "auto",
  ]

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.services.flatMap { service in
      service.spec.ports.compactMap { port -> Diagnostic? in
        if service.spec.externalName != nil { return externalName(port, service) }
        return conventional(port, service)
      }
    }
  }

  private static func isConventional(_ name: String) -> Bool {
    protocols.contains { name == $0 || name.hasPrefix($0 + "-") }
  }

  /// IST0118
  private static func conventional(_ port: Service.Port, _ service: Resource<Service>) -> Diagnostic? {
    guard port.appProtocol == nil, !isConventional(port.name.lowercased()) else { return nil }
    return MessageCatalog.finding(
      "IST0118",
      "Port name \(port.name) (port: \(port.port), targetPort: \(text(port))) doesn't follow the naming convention of Istio port.",
      at: service.location, resource: service.description)
  }

  private static func text(_ port: Service.Port) -> String {
    switch port.targetPort {
    case .number(let number): return "\(number)"
    case .name(let name): return name
    case nil: return "\(port.port)"
    }
  }

  /// IST0150
  private static func externalName(_ port: Service.Port, _ service: Resource<Service>) -> Diagnostic? {
    guard port.appProtocol == nil, !isConventional(port.name.lowercased()) else { return nil }
    return MessageCatalog.finding(
      "IST0150",
      "Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly",
      at: service.location, resource: service.description, help: "port \(port.port) is named \"\(port.name)\"")
  }
}
