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
    reader.require(
      !(http.isEmpty && tls.isEmpty && tcp.isEmpty), "http, tcp or tls must be provided in virtual service")
    check(reader)
  }

  private func check(_ reader: FieldReader) {
    var seen: Set<String> = []
    for host in hosts {
      if !HostRules.isIPLiteral(host.value), let problem = HostRules.problem(with: host.value, allowsWildcard: true) {
        reader.context.error(problem, at: host.location)
      }
      if !seen.insert(host.value.lowercased()).inserted {
        reader.context.error("duplicate hosts in virtual service: \(host.value) & \(host.value)", at: host.location)
      }
    }
    let isMesh = gateways.isEmpty || gateways.contains { $0.value == "mesh" }
    if isMesh, let wildcard = hosts.first(where: { $0.value == "*" }), !gateways.isEmpty {
      reader.context.error(
        "wildcard host * is not allowed for virtual services bound to the mesh gateway", at: wildcard.location)
    }
    if hosts.isEmpty, !gateways.isEmpty {
      reader.context.error("delegate virtual service must have no gateways specified", at: reader.location)
    }
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
    reader.require(destination != nil, "destination is required")
    if let weight, weight.value < 0 { reader.context.error("weight \(weight.value) < 0", at: weight.location) }
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
      reader.require(host.map { !$0.value.isEmpty } ?? false, "invalid destination host: empty domain name not allowed")
      if let host, !HostRules.isIPLiteral(host.value),
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
      for (name, value) in set.merging(add, uniquingKeysWith: { first, _ in first }) {
        Self.check(name, value.location, reader.context)
      }
      for name in remove { Self.check(name.value, name.location, reader.context) }
    }

    private static func check(_ name: String, _ location: SourceLocation, _ context: DecodingContext) {
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
    response = reader.object("response", Operations.init)
  }
}

/// A `tls` route: by server name, without terminating.
package struct TLSRoute: Sendable {
  package struct Match: Sendable {
    package var sniHosts: [Located<String>]
    package var port: Located<Int>?
    package var gateways: [Located<String>]
    package var sourceLabels: [String: Located<String>]
    package var sourceNamespace: Located<String>?

    init(_ reader: FieldReader) {
      sniHosts = reader.strings("sniHosts")
      port = reader.integer("port")
      gateways = reader.strings("gateways")
      sourceLabels = reader.stringMap("sourceLabels")
      sourceNamespace = reader.string("sourceNamespace")
      reader.accept("destinationSubnets")
      reader.require(!sniHosts.isEmpty, "TLS match must have at least one SNI host")
    }
  }

  package var match: [Match]
  package var route: [RouteDestination]
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    match = reader.objects("match", Match.init)
    route = reader.objects("route", RouteDestination.init)
    reader.require(!match.isEmpty, "TLS route must have at least one match condition")
    reader.require(!route.isEmpty, "TLS route is required")
  }
}

/// A `tcp` route: by port.
package struct TCPRoute: Sendable {
  package struct Match: Sendable {
    package var port: Located<Int>?
    package var gateways: [Located<String>]
    package var sourceLabels: [String: Located<String>]
    package var sourceNamespace: Located<String>?

    init(_ reader: FieldReader) {
      port = reader.integer("port")
      gateways = reader.strings("gateways")
      sourceLabels = reader.stringMap("sourceLabels")
      sourceNamespace = reader.string("sourceNamespace")
      reader.accept("destinationSubnets", "sourceSubnet")
    }
  }

  package var match: [Match]
  package var route: [RouteDestination]
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    match = reader.objects("match", Match.init)
    route = reader.objects("route", RouteDestination.init)
    reader.require(!route.isEmpty, "TCP route is required")
  }
}
