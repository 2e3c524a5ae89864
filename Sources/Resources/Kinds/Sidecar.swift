/// networking.istio.io Sidecar: what the proxies beside workloads listen on and see. Istio does not apply it to gateways,
/// and neither do we: it is checked.
struct Sidecar {
  private enum CaptureMode: String, CaseIterable {
    case standard = "DEFAULT"
    case iptables = "IPTABLES"
    case none = "NONE"
  }

  init(_ reader: FieldReader) {
    let selector = reader.object("workloadSelector") { $0.stringMap("labels") }
    if let selector {
      HostRules.checkSelector(selector, at: reader.keyLocation("workloadSelector"), of: "sidecar", reader.context)
    }
    _ = reader.objects("ingress", null: "sidecar: ingress may not be null", Self.ingress)
    _ = reader.objects("egress", null: "egress listener may not be null", Self.egress)
    _ = reader.object("inboundConnectionPool", ConnectionPoolSettings.init)
    _ = reader.object("outboundTrafficPolicy") { policy in
      _ = policy.enumeration("mode", MeshConfig.OutboundTrafficPolicy.self)
      _ = policy.object("egressProxy", RouteDestination.Destination.init)
    }
  }

  private static func ingress(_ reader: FieldReader) {
    listener(reader)
    _ = reader.string("defaultEndpoint")
    _ = reader.object("connectionPool", ConnectionPoolSettings.init)
    _ = reader.object("tls", ServerTLSSettings.init)
    reader.require("port", "port is required")
  }

  private static func egress(_ reader: FieldReader) {
    listener(reader)
    reader.require("hosts", nonEmpty: reader.strings("hosts"), "egress listener must have at least one host")
  }

  private static func listener(_ reader: FieldReader) {
    _ = reader.string("bind")
    _ = reader.enumeration("captureMode", CaptureMode.self)
    _ = reader.object("port") { port in
      HostRules.checkPort(port.integer("number"), port.context)
      _ = port.string("name")
      _ = port.string("protocol")
      _ = port.integer("targetPort")
    }
  }
}
