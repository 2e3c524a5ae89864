/// networking.istio.io Gateway: which ports an instance listens on, for which hosts, with which TLS.
package struct Gateway: Sendable {
  package var selector: [String: Located<String>]
  package var servers: [GatewayServer]

  init(_ reader: FieldReader) {
    selector = reader.stringMap("selector")
    servers = reader.objects("servers", null: "server may not be nil", GatewayServer.init)
    reader.require("servers", nonEmpty: servers, "gateway must have at least one server")
    HostRules.checkSelector(selector, reader.context)
    checkPortNames(reader.context)
  }

  private func checkPortNames(_ context: DecodingContext) {
    var seen: Set<String> = []
    for server in servers {
      guard let name = server.port?.name, !name.value.isEmpty else { continue }
      if !seen.insert(name.value).inserted {
        context.error("port names in servers must be unique: duplicate name \(name.value)", at: name.location)
      }
    }
  }
}

/// One of a Gateway's servers.
package struct GatewayServer: Sendable {
  package var port: GatewayPort?
  package var bind: Located<String>?
  /// `[namespace/]host`
  package var hosts: [Located<String>]
  package var tls: ServerTLSSettings?
  package var name: Located<String>?
  package var defaultEndpoint: Located<String>?
  package var location: SourceLocation

  init(_ reader: FieldReader) {
    location = reader.location
    port = reader.object("port", GatewayPort.init)
    bind = reader.string("bind")
    hosts = reader.strings("hosts")
    name = reader.string("name")
    tls = reader.object("tls", ServerTLSSettings.init)
    defaultEndpoint = reader.string("defaultEndpoint")
    reader.notActedOn("defaultEndpoint")
    reader.require("port", "port is required")
    reader.require("hosts", nonEmpty: hosts, "server config must contain at least one host")
    checkBind(reader.context)
    for host in hosts { HostRules.checkServerHost(host, reader.context) }
    checkTLS(reader)
  }

  private func checkBind(_ context: DecodingContext) {
    guard let bind, !bind.value.isEmpty else {
      if port?.number?.value == 0 { HostRules.checkPort(port?.number, context) }
      return
    }
    if bind.value.hasPrefix(HostRules.unixPrefix) {
      HostRules.checkUnixAddress(bind, context)
      if let number = port?.number, number.value != 0 {
        context.error("port number must be 0 for unix domain socket: \(number.value)", at: number.location)
      }
    } else if port?.number?.value == 0 {
      HostRules.checkPort(port?.number, context)
    } else if !HostRules.isIPLiteral(bind.value) {
      context.error("\"\(bind.value)\" is not a valid IP address", at: bind.location)
    }
  }

  private func checkTLS(_ reader: FieldReader) {
    guard let port, let kind = port.protocolKind else { return }
    if kind == .https || kind == .tls {
      reader.require("tls", "server must have TLS settings for HTTPS/TLS protocols")
    } else if let tls, tls.terminates || tls.hasCertificates {
      let message =
        kind.isHTTP
        ? "server cannot have TLS settings for plain text HTTP ports"
        : "server cannot have TLS settings for non HTTPS/TLS ports"
      reader.context.error(message, at: reader.keyLocation("tls") ?? tls.location)
    }
    if let redirect = tls?.httpsRedirect, redirect.value, !kind.isHTTP {
      reader.context.warning("tls.httpsRedirect should only be used with http servers", at: redirect.location)
    }
    if let tls, kind == .https || kind == .tls { tls.check(reader.context) }
  }
}

/// The port of a server, as the Service names it.
package struct GatewayPort: Sendable {
  package var number: Located<Int>?
  package var name: Located<String>?
  package var protocolName: Located<String>?
  package var protocolKind: PortProtocol?

  init(_ reader: FieldReader) {
    number = reader.integer("number")
    name = reader.string("name")
    protocolName = reader.string("protocol")
    protocolKind = protocolName.flatMap { PortProtocol(name: $0.value) }
    if reader.has("targetPort") {
      reader.context.warning("targetPort has no impact on Gateways", at: reader.keyLocation("targetPort"))
    }
    // Port 0 belongs to unix sockets, which the server knows of.
    if number?.value != 0 { HostRules.checkPort(number, reader.context) }
    reader.require("number", "port number must be set")
    reader.require("name", name, "port name must be set")
    if let protocolName, protocolKind == nil {
      reader.context.error(
        "invalid protocol \"\(protocolName.value)\", supported protocols are HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP, TLS",
        at: protocolName.location,
        help: Suggestion.help(for: protocolName.value, among: PortProtocol.allCases.map(\.rawValue)))
    }
    reader.require("protocol", "port protocol must be set")
  }
}

/// The protocols that ports can have; names are matched in any case.
package enum PortProtocol: String, Sendable, CaseIterable {
  case http = "HTTP"
  case https = "HTTPS"
  case http2 = "HTTP2"
  case grpc = "GRPC"
  case grpcWeb = "GRPC-WEB"
  case mongo = "MONGO"
  case redis = "REDIS"
  case mysql = "MYSQL"
  case tcp = "TCP"
  case tls = "TLS"
  case udp = "UDP"

  package init?(name: String) {
    let upper = name.uppercased()
    guard let value = Self.allCases.first(where: { $0.rawValue == upper || $0.rawValue + "-" == upper }) else {
      return nil
    }
    self = value
  }

  /// Requests are routed by host and path.
  package var isHTTP: Bool { self == .http || self == .http2 || self == .grpc || self == .grpcWeb }
}

/// How a server terminates TLS.
package struct ServerTLSSettings: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    case passthrough = "PASSTHROUGH"
    case simple = "SIMPLE"
    case mutual = "MUTUAL"
    case autoPassthrough = "AUTO_PASSTHROUGH"
    case istioMutual = "ISTIO_MUTUAL"
    case optionalMutual = "OPTIONAL_MUTUAL"
  }

  package enum Version: String, Sendable, CaseIterable {
    case automatic = "TLS_AUTO"
    case tls10 = "TLSV1_0"
    case tls11 = "TLSV1_1"
    case tls12 = "TLSV1_2"
    case tls13 = "TLSV1_3"
  }

  /// A pair of files.
  package struct Files: Sendable {
    package var location: SourceLocation
    package var serverCertificate: Located<String>?
    package var privateKey: Located<String>?
    package var caCertificates: Located<String>?

    init(_ reader: FieldReader) {
      location = reader.location
      serverCertificate = reader.string("serverCertificate")
      privateKey = reader.string("privateKey")
      caCertificates = reader.string("caCertificates")
    }
  }

  package var location: SourceLocation
  package var mode: Located<Mode>?
  /// The mode is given and is none: what depends on it cannot be said.
  private let isModeWrong: Bool
  package var httpsRedirect: Located<Bool>?
  package var credentialName: Located<String>?
  package var credentialNames: [Located<String>]
  package var caCertCredentialName: Located<String>?
  package var files: Files
  package var tlsCertificates: [Files]
  package var subjectAltNames: [Located<String>]
  package var spkiPins: [Located<String>]
  package var certificateHashes: [Located<String>]
  package var minProtocolVersion: Located<Version>?
  package var maxProtocolVersion: Located<Version>?
  package var cipherSuites: [Located<String>]
  package var caCrl: Located<String>?
  package var insecureSkipVerify: Located<Bool>?

  init(_ reader: FieldReader) {
    location = reader.location
    mode = reader.enumeration("mode")
    isModeWrong = mode == nil && reader.has("mode")
    httpsRedirect = reader.boolean("httpsRedirect")
    credentialName = reader.string("credentialName")
    credentialNames = reader.strings("credentialNames")
    caCertCredentialName = reader.string("caCertCredentialName")
    files = Files(reader)
    tlsCertificates = reader.objects("tlsCertificates", Files.init)
    reader.excludes("credentialName", "serverCertificate", "credentialNames", "tlsCertificates")
    subjectAltNames = reader.strings("subjectAltNames")
    spkiPins = reader.strings("verifyCertificateSpki")
    certificateHashes = reader.strings("verifyCertificateHash")
    minProtocolVersion = reader.enumeration("minProtocolVersion")
    maxProtocolVersion = reader.enumeration("maxProtocolVersion")
    cipherSuites = reader.strings("cipherSuites")
    caCrl = reader.string("caCrl")
    insecureSkipVerify = reader.boolean("insecureSkipVerify")
  }

  /// The mode in force: an omitted one means PASSTHROUGH, as in Istio.
  package var effectiveMode: Mode { mode?.value ?? .passthrough }

  /// Whether TLS ends here.
  var terminates: Bool { effectiveMode != .passthrough && effectiveMode != .autoPassthrough }

  var hasCertificates: Bool {
    credentialName != nil || !credentialNames.isEmpty || files.serverCertificate != nil || files.privateKey != nil
      || !tlsCertificates.isEmpty
  }

  /// The cipher suites that Istio knows.
  package static let knownCipherSuites: Set<String> = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
  ]

  func check(_ context: DecodingContext) {
    guard !isModeWrong else { return }
    let mode = effectiveMode
    let hasCredential = credentialName != nil || !credentialNames.isEmpty
    let sources = [
      credentialName != nil, !credentialNames.isEmpty, files.serverCertificate != nil, !tlsCertificates.isEmpty,
    ].count { $0 }
    if sources > 1 {
      context.error(
        "only one of credential_name, credential_names, server_certificate/private_key, tls_certificates should be specified",
        at: location)
    }
    if self.mode == nil, hasCertificates {
      context.error(
        "credentialName is set, but tls.mode is omitted, which means PASSTHROUGH: the certificate would never be used",
        at: credentialName?.location ?? location, help: "add \"mode: SIMPLE\"")
    } else if !terminates, hasCertificates || files.caCertificates != nil || caCrl != nil {
      context.warning("\(mode.rawValue) mode does not use certificates, they will be ignored", at: location)
    }
    if mode == .istioMutual { checkIstioMutual(context) }
    if mode == .simple || mode == .mutual || mode == .optionalMutual, !hasCredential { checkFiles(context) }
    checkVersions(context)
    for (what, count) in [("credentialNames", credentialNames.count), ("tlsCertificates", tlsCertificates.count)]
    where count > 2 {
      context.warning("\(mode.rawValue) can support up to 2 server certificates (\(what))", at: location)
    }
    if mode == .simple, let caCrl { context.error("CRL is not supported with SIMPLE TLS", at: caCrl.location) }
  }

  /// The certificates of the mesh are the control plane's.
  private func checkIstioMutual(_ context: DecodingContext) {
    let things: [(String, SourceLocation?)] = [
      ("server certificate", files.serverCertificate?.location), ("private key", files.privateKey?.location),
      ("CA bundle", files.caCertificates?.location), ("tlsCertificates", tlsCertificates.first?.location),
      ("credentialName", credentialName?.location), ("credentialNames", credentialNames.first?.location),
    ]
    for (thing, place) in things where place != nil {
      context.error("ISTIO_MUTUAL TLS cannot have associated \(thing)", at: place)
    }
  }

  private func checkFiles(_ context: DecodingContext) {
    let prefix = "\(effectiveMode.rawValue) TLS requires"
    for pair in tlsCertificates.isEmpty ? [files] : tlsCertificates {
      let place = tlsCertificates.isEmpty ? location : pair.location
      if pair.serverCertificate == nil { context.error("\(prefix) a server certificate", at: place) }
      if pair.privateKey == nil { context.error("\(prefix) a private key", at: place) }
    }
    if effectiveMode != .simple, files.caCertificates == nil, caCertCredentialName == nil {
      context.error("\(prefix) a client CA bundle", at: location)
    }
  }

  private func checkVersions(_ context: DecodingContext) {
    if let version = minProtocolVersion, version.value == .tls10 || version.value == .tls11, cipherSuites.isEmpty {
      context.warning(
        "TLS version below TLSV1_2 require setting compatible ciphers as by default they no longer include compatible ciphers",
        at: version.location)
    }
    var seen: Set<String> = []
    for suite in cipherSuites {
      if !Self.knownCipherSuites.contains(suite.value) {
        context.warning(
          "ignoring invalid cipher suites: [\(suite.value)]", at: suite.location,
          help: Suggestion.help(for: suite.value, among: Self.knownCipherSuites.sorted()))
      } else if !seen.insert(suite.value).inserted {
        context.warning("ignoring duplicate cipher suites: [\(suite.value)]", at: suite.location)
      }
    }
  }
}
