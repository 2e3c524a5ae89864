/// networking.istio.io VirtualService: where requests for some hosts go.
package struct VirtualService: Sendable {
  package var hosts: [Located<String>]
  package var gateways: [Located<String>]
  package var exportTo: [Located<String>]
  package var http: [HTTPRoute]
  package var tls: [TLSRoute]
  package var tcp: [TCPRoute]

  init(_ reader: FieldReader) {
    hosts = reader.strings("hosts")
    gateways = reader.strings("gateways")
    exportTo = reader.strings("exportTo")
    http = reader.objects("http", HTTPRoute.init)
    tls = reader.objects("tls", TLSRoute.init)
    tcp = reader.objects("tcp", TCPRoute.init)
    if !["http", "tls", "tcp"].contains(where: { reader.hasItems($0) }) {
      reader.require("http", nonEmpty: http, "http, tcp or tls must be provided in virtual service")
    }
    check(reader)
  }

  private func check(_ reader: FieldReader) {
    let context = reader.context
    checkHosts(context)
    HostRules.checkExportTo(exportTo, context)
    for gateway in gateways { HostRules.checkGatewayReference(gateway, context) }
    if hosts.isEmpty {
      // Without hosts it is what other VirtualServices delegate to.
      let parts = [("gateways", !gateways.isEmpty), ("tls route", !tls.isEmpty), ("tcp route", !tcp.isEmpty)]
      for (name, isGiven) in parts where isGiven {
        context.error("delegate virtual service must have no \(name) specified", at: reader.location)
      }
      for delegate in http.compactMap(\.delegate?.name) {
        context.error("delegate HTTP route cannot contain delegate", at: delegate.location)
      }
    } else {
      checkClaims(context)
      for name in tls.flatMap(\.match).flatMap(\.sniHosts) { checkServerName(name, context) }
    }
  }

  private func checkHosts(_ context: DecodingContext) {
    let isMesh = gateways.isEmpty || gateways.contains { $0.value == "mesh" }
    var seen: [String] = []
    for host in hosts {
      if !HostRules.isIPLiteral(host.value), let problem = HostRules.problem(with: host.value, allowsWildcard: true) {
        context.error(problem, at: host.location)
      }
      if host.value == "*", isMesh {
        context.error(
          "wildcard host * is not allowed for virtual services bound to the mesh gateway", at: host.location,
          help: gateways.isEmpty ? "without \"gateways\" a VirtualService is bound to the mesh" : nil)
      }
      if let other = seen.first(where: { HostRules.overlap($0, host.value) }) {
        context.error("duplicate hosts in virtual service: \(other) & \(host.value)", at: host.location)
      }
      seen.append(host.value)
    }
  }

  /// Claims of tokens are known to gateways alone.
  private func checkClaims(_ context: DecodingContext) {
    for match in http.flatMap(\.match) {
      let named = match.gateways.isEmpty ? gateways : match.gateways
      guard named.isEmpty || named.contains(where: { $0.value == "mesh" }) else { continue }
      for key in (match.headers + match.withoutHeaders).map(\.key) where key.value.hasPrefix("@request.auth.claims") {
        context.error(
          "JWT claim based routing (key: \(key.value)) is only supported for gateway, found mesh gateways",
          at: key.location)
      }
    }
  }

  private func checkServerName(_ name: Located<String>, _ context: DecodingContext) {
    if HostRules.isIPLiteral(name.value) {
      return context.warning(
        "using an IP address (\"\(name.value)\") goes against SNI spec and most clients do not support this",
        at: name.location)
    }
    if let problem = HostRules.problem(with: name.value, allowsWildcard: true) {
      return context.error(problem, at: name.location)
    }
    guard !hosts.contains(where: { HostRules.isSubset(name.value, of: $0.value) }) else { return }
    let list = hosts.map(\.value).joined(separator: ", ")
    context.error(
      "SNI host \"\(name.value)\" is not a compatible subset of any of the virtual service hosts: [\(list)]",
      at: name.location)
  }
}

/// A destination with its share.
package struct RouteDestination: Sendable {
  package var destination: Destination?
  package var weight: Located<Int>?
  package var headers: Headers?

  init(_ reader: FieldReader) {
    destination = reader.object("destination", Destination.init)
    weight = reader.integer("weight")
    headers = reader.object("headers", Headers.init)
    reader.require("destination", "destination is required")
    if let subset = destination?.subset {
      if subset.value.isEmpty {
        reader.context.error("subset name cannot be empty", at: subset.location)
      } else if !HostRules.isLabel(subset.value) {
        reader.context.error("subset name is invalid: \(subset.value)", at: subset.location)
      }
    }
    if let weight, weight.value < 0 { reader.context.error("weight \(weight.value) < 0", at: weight.location) }
    if let weight, weight.value > Int32.max {
      reader.context.error("weight \(weight.value) is out of range, it takes 31 bits", at: weight.location)
    }
  }

  /// Envoy's `total_weight` is a number of 32 bits.
  static func checkTotal(_ destinations: [RouteDestination], at location: SourceLocation, _ context: DecodingContext) {
    // One that is out of range was said already.
    let total = destinations.reduce(0) { $0 + min(Int(Int32.max), max(0, $1.weight?.value ?? 0)) }
    if total > UInt32.max { context.error("total destination weight \(total) exceeds \(UInt32.max)", at: location) }
  }

  /// Where requests go: a host, perhaps a subset and a port.
  package struct Destination: Sendable {
    package var host: Located<String>?
    package var subset: Located<String>?
    package var port: Located<Int>?
    package var location: SourceLocation

    init(_ reader: FieldReader) {
      location = reader.location
      host = reader.string("host")
      subset = reader.string("subset")
      port = reader.object("port") { $0.integer("number") } ?? nil
      reader.require("host", host, "invalid destination host: empty domain name not allowed")
      if let host, !host.value.isEmpty, !HostRules.isIPLiteral(host.value),
        let problem = HostRules.problem(with: host.value, allowsWildcard: true)
      {
        reader.context.error("invalid destination host: \(problem)", at: host.location)
      }
      HostRules.checkPort(port, reader.context)
    }
  }
}

/// A way to compare a text.
package struct StringMatch: Sendable {
  package enum Kind: Sendable {
    case exact(Located<String>)
    case prefix(Located<String>)
    case regex(Located<String>)
    /// Nothing given: any value, as long as there is one.
    case present
  }

  package var kind: Kind
  package var location: SourceLocation

  /// A match that was written as a plain text.
  init(exact: Located<String>) {
    kind = .exact(exact)
    location = exact.location
  }

  init(_ reader: FieldReader) {
    location = reader.location
    let exact = reader.string("exact")
    let prefix = reader.string("prefix")
    let regex = reader.string("regex")
    let count = [exact, prefix, regex].count { $0 != nil }
    if count > 1 { reader.context.error("only one of exact, prefix, regex can be set", at: reader.location) }
    if let exact {
      kind = .exact(exact)
    } else if let prefix {
      kind = .prefix(prefix)
      if prefix.value.isEmpty {
        reader.context.error("\"\(prefix.value)\": prefix string match should not be empty", at: prefix.location)
      }
    } else if let regex {
      kind = regex.value == "*" ? .present : .regex(regex)
      if regex.value.isEmpty {
        reader.context.error("\"\": regex string match should not be empty", at: regex.location)
      }
      if regex.value.utf8.count > 1024 {
        reader.context.error(
          "\"\(regex.value.prefix(40))…\": regex is too large, max length allowed is 1024", at: regex.location)
      }
    } else {
      kind = .present
    }
  }
}

/// Edits of header fields.
package struct Headers: Sendable {
  package struct Operations: Sendable {
    package var set: [String: Located<String>]
    package var add: [String: Located<String>]
    package var remove: [Located<String>]

    init(_ reader: FieldReader) {
      set = reader.stringMap("set")
      add = reader.stringMap("add")
      remove = reader.strings("remove")
      for name in reader.keys("set") + reader.keys("add") { Self.check(name.value, name.location, reader.context) }
      let values = Array(set.values) + Array(add.values)
      for value in values.sorted(by: { $0.location.line < $1.location.line }) {
        WireText.checkFieldValue(value, reader.context)
        Self.checkValue(value, reader.context)
      }
      for name in remove {
        Self.check(name.value, name.location, reader.context)
        if name.value.hasPrefix(":") || name.value.lowercased() == "host" {
          reader.context.error("cannot remove \(name.value): the request's own line is not a header", at: name.location)
        }
      }
    }

    /// Envoy's command operators stand between percent signs; a percent sign itself is written twice.
    private static func checkValue(_ value: Located<String>, _ context: DecodingContext) {
      var isOpen = false
      var previous: UInt8 = 0
      var isArgument = false
      for byte in value.value.utf8 {
        if isOpen, byte == 0x28 || byte == 0x29 {
          // Percent signs in an argument are its own: %START_TIME(%s)%.
          isArgument = byte == 0x28
        } else if isArgument {
          continue
        } else if byte == 0x25 {
          isOpen = !isOpen
        } else if isOpen, previous == 0x25, !(byte &- 0x41 < 26) {
          break
        }
        previous = byte
      }
      guard isOpen else { return }
      context.error(
        "header value configuration: invalid header configuration. Un-escaped % in \"\(value.value)\"",
        at: value.location,
        help: "write %% for a percent sign")
    }

    static func check(_ name: String, _ location: SourceLocation, _ context: DecodingContext) {
      if name.isEmpty { return context.error("header name cannot be empty", at: location) }
      let isValid = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;\\\"/[]?={}".utf8.contains($0) }
      if !isValid || (name.dropFirst().contains(":")) {
        context.error("header name \(name) is not a valid header name", at: location)
      }
    }
  }

  package var request: Operations?
  package var response: Operations?

  init(_ reader: FieldReader) {
    request = reader.object("request", Operations.init)
    response = reader.object("response") { response in
      for name in response.keys("set") + response.keys("add")
      where name.value.hasPrefix(":") || name.value.lowercased() == "host" {
        response.context.error("\(name.value) cannot be set in a response: it is no header of it", at: name.location)
      }
      return Operations(response)
    }
  }
}

/// A `tls` route: by server name, without terminating.
package struct TLSRoute: Sendable {
  package struct Match: Sendable {
    package var location: SourceLocation
    package var sniHosts: [Located<String>]
    package var port: Located<Int>?
    package var gateways: [Located<String>]
    package var sourceLabels: [String: Located<String>]
    package var sourceNamespace: Located<String>?
    package var destinationSubnets: [Located<String>]

    init(_ reader: FieldReader) {
      location = reader.location
      sniHosts = reader.strings("sniHosts")
      port = reader.integer("port")
      gateways = reader.strings("gateways")
      sourceLabels = reader.stringMap("sourceLabels")
      sourceNamespace = reader.string("sourceNamespace")
      destinationSubnets = reader.strings("destinationSubnets")
      HostRules.checkPort(port, reader.context)
      HostRules.checkLabels(sourceLabels, reader.context)
      for subnet in destinationSubnets { HostRules.checkSubnet(subnet, reader.context) }
      reader.require("sniHosts", nonEmpty: sniHosts, "TLS match must have at least one SNI host")
    }
  }

  package var match: [Match]
  package var route: [RouteDestination]
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    match = reader.objects("match", Match.init)
    route = reader.objects("route", RouteDestination.init)
    reader.require("match", nonEmpty: match, "TLS route must have at least one match condition")
    reader.require("route", nonEmpty: route, "TLS route is required")
    RouteDestination.checkTotal(route, at: location, reader.context)
  }
}

/// A `tcp` route: by port.
package struct TCPRoute: Sendable {
  package struct Match: Sendable {
    package var location: SourceLocation
    package var port: Located<Int>?
    package var gateways: [Located<String>]
    package var sourceLabels: [String: Located<String>]
    package var sourceNamespace: Located<String>?
    package var destinationSubnets: [Located<String>]
    package var sourceSubnet: Located<String>?

    init(_ reader: FieldReader) {
      location = reader.location
      port = reader.integer("port")
      gateways = reader.strings("gateways")
      sourceLabels = reader.stringMap("sourceLabels")
      sourceNamespace = reader.string("sourceNamespace")
      destinationSubnets = reader.strings("destinationSubnets")
      sourceSubnet = reader.string("sourceSubnet")
      HostRules.checkPort(port, reader.context)
      HostRules.checkLabels(sourceLabels, reader.context)
      for subnet in destinationSubnets + [sourceSubnet].compactMap({ $0 }) {
        HostRules.checkSubnet(subnet, reader.context)
      }
    }
  }

  package var match: [Match]
  package var route: [RouteDestination]
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    match = reader.objects("match", Match.init)
    route = reader.objects("route", RouteDestination.init)
    reader.require("route", nonEmpty: route, "TCP route is required")
    RouteDestination.checkTotal(route, at: location, reader.context)
  }
}
