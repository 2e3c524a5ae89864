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
    http = reader.objects("http", null: "http route may not be null", HTTPRoute.init)
    tls = reader.objects("tls", null: "tls route may not be null", TLSRoute.init)
    tcp = reader.objects("tcp", null: "tcp route may not be null", TCPRoute.init)
    let isMisspelled = ["http", "tls", "tcp"].contains { reader.misspelling(of: $0) != nil }
    if !["http", "tls", "tcp"].contains(where: { reader.hasItems($0) }), !isMisspelled {
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
      } else if let other = seen.first(where: { isSame($0, host.value, context.namespace) }) {
        // Istio compares the texts, and makes one virtual host of both.
        context.warning(
          "duplicate hosts in virtual service: \(other) & \(host.value)", at: host.location,
          help: "a name without a dot is completed with the namespace: both are one host")
      }
      seen.append(host.value)
    }
  }

  /// Whether one of two hosts is the other's short form.
  private func isSame(_ left: String, _ right: String, _ namespace: String) -> Bool {
    let whole = { (name: String) in
      (name.contains(".") ? name : "\(name).\(namespace).svc.cluster.local").lowercased()
    }
    return left.contains(".") != right.contains(".") && whole(left) == whole(right)
  }

  /// Claims of tokens are known to gateways alone.
  private func checkClaims(_ context: DecodingContext) {
    for match in http.lazy.flatMap(\.match) where !match.headers.isEmpty || !match.withoutHeaders.isEmpty {
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

  /// Shares of nothing are none, and Envoy's `total_weight` is a number of 32 bits.
  static func checkTotal(_ destinations: [RouteDestination], at location: SourceLocation, _ context: DecodingContext) {
    // One that is out of range was said already.
    let total = destinations.reduce(0) { $0 + min(Int(Int32.max), max(0, $1.weight?.value ?? 0)) }
    if total == 0, destinations.count > 1 { context.error("total destination weight = 0", at: location) }
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
      port =
        reader.object("port") { port in
          port.require("number", "port number must be set")
          return port.integer("number")
        } ?? nil
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
    reader.excludes("exact", "prefix", "regex")
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
      // The lone asterisk is Istio's own sign for any value.
      if regex.value != "*" { RegexRules.check(regex, of: Self.place(reader.name), reader.context) }
    } else {
      kind = .present
    }
  }

  /// What Istio's messages call the field that holds the match: `headers` for each of its entries.
  private static func place(_ name: String) -> String {
    let field = name.prefix { $0 != "." && $0 != "[" }
    return field == "allowOrigins" ? "corsAllowOrigins" : String(field)
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
      for gateway in gateways { HostRules.checkGatewayReference(gateway, reader.context) }
      for subnet in destinationSubnets { HostRules.checkSubnet(subnet, reader.context) }
      reader.require("sniHosts", nonEmpty: sniHosts, "TLS match must have at least one SNI host")
    }
  }

  package var match: [Match]
  package var route: [RouteDestination]
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    match = reader.objects("match", null: "TLS match may not be null", Match.init)
    route = reader.objects("route", null: "weight may not be nil", RouteDestination.init)
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
      for gateway in gateways { HostRules.checkGatewayReference(gateway, reader.context) }
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
    match = reader.objects("match", null: "tcp match may not be nil", Match.init)
    route = reader.objects("route", null: "weight may not be nil", RouteDestination.init)
    reader.require("route", nonEmpty: route, "TCP route is required")
    RouteDestination.checkTotal(route, at: location, reader.context)
  }
}
