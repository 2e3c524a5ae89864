/// networking.istio.io WorkloadGroup: what a control plane makes WorkloadEntries from when a machine registers. Without
/// a control plane nothing registers: it is checked, and the WorkloadEntries themselves count.
struct WorkloadGroup {
  init(_ reader: FieldReader) {
    _ = reader.object("metadata") { metadata in
      HostRules.checkLabels(metadata.stringMap("labels"), metadata.context)
      _ = metadata.stringMap("annotations")
    }
    _ = reader.object("template", Self.template)
    _ = reader.object("probe", Self.probe)
    reader.require("template", "template is required")
  }

  /// A WorkloadEntry whose address the machine brings itself.
  private static func template(_ reader: FieldReader) {
    for name in ["locality", "network", "serviceAccount"] { _ = reader.string(name) }
    let address = reader.string("address")
    let ports = reader.integerMap("ports").values.sorted { $0.location.line < $1.location.line }
    for port in ports { HostRules.checkPort(port, reader.context) }
    HostRules.checkPortNames(reader.keys("ports"), reader.context)
    if let address, address.value.hasPrefix("unix:") {
      HostRules.checkUnixAddress(address, reader.context)
      if let port = ports.first {
        reader.context.error("unix endpoint \(address.value) must not include ports", at: port.location)
      }
    }
    HostRules.checkLabels(reader.stringMap("labels"), reader.context)
    _ = reader.integer("weight", in: 0...Int(UInt32.max))
  }

  private static func probe(_ reader: FieldReader) {
    let names = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    for name in names {
      guard let number = reader.integer(name), number.value < 0 else { continue }
      reader.context.error("\(name) must be non-negative", at: number.location)
    }
    for name in ["httpGet", "tcpSocket", "exec", "grpc"] where !reader.has(name) {
      if let place = reader.keyLocation(name) { reader.context.error("\(name) may not be nil", at: place) }
    }
    _ = reader.object("httpGet") { get in
      _ = get.string("path")
      _ = get.string("host")
      _ = get.enumeration("scheme", Scheme.self)
      _ = get.objects("httpHeaders", null: "invalid nil header") { header in
        let name = header.string("name")
        _ = header.string("value")
        header.require("name", "header name cannot be empty")
        if let name { HeaderRules.checkName(name, header.context) }
      }
      port(get)
    }
    _ = reader.object("tcpSocket") { socket in
      _ = socket.string("host")
      port(socket)
    }
    _ = reader.object("exec") { exec in
      let command = exec.strings("command")
      exec.require("command", nonEmpty: command, "exec.command is required")
      if let empty = command.first(where: \.value.isEmpty) {
        exec.context.error("exec.command may not have empty words", at: empty.location)
      }
    }
    _ = reader.object("grpc") { grpc in
      HostRules.checkPort(grpc.integer("port"), grpc.context)
      _ = grpc.string("service")
    }
    reader.exclusive("httpGet", "tcpSocket", "exec", "grpc")
  }

  private enum Scheme: String, CaseIterable {
    case http = "HTTP"
    case https = "HTTPS"
  }

  private static func port(_ reader: FieldReader) {
    HostRules.checkPort(reader.integer("port"), reader.context)
    reader.require("port", "port is required")
  }
}
