import Resources

/// The certificates that servers name: whether clients will accept them.
enum CertificateAnalyzer {
  private static let soon: Int64 = 30 * 86_400

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    guard let inspect = context.inspect else { return [] }
    // One word a certificate, however many servers have it.
    var seen: Set<String> = []
    var diagnostics: [Diagnostic] = []
    for instance in context.instances {
      let credentials = CredentialStore(context.resources, for: instance)
      for gateway in context.gateways(of: instance) {
        for server in gateway.spec.servers {
          for (name, chain, key) in certificates(of: server, credentials, context) {
            let subject = Subject(name: name, server: server, gateway: gateway, now: context.now)
            diagnostics += check(inspect(chain, key), subject)
          }
        }
      }
    }
    diagnostics = diagnostics.filter { seen.insert("\($0.code) \($0.message)").inserted }
    return diagnostics
  }

  /// What is looked at, and where it is named.
  private struct Subject {
    let name: Located<String>
    let server: GatewayServer
    let gateway: Resource<Gateway>
    let now: Int64

    func finding(_ code: String, _ message: String, help: String? = nil) -> Diagnostic {
      MessageCatalog.finding(
        code, "certificate \"\(name.value)\" \(message)", at: name.location, resource: gateway.description, help: help)
    }
  }

  /// The certificates that can be read; the compiler says which cannot.
  private static func certificates(
    of server: GatewayServer, _ credentials: CredentialStore, _ context: AnalysisContext
  ) -> [(name: Located<String>, chain: [UInt8], key: [UInt8])] {
    guard let tls = server.tls, tls.effectiveMode != .passthrough, tls.effectiveMode != .autoPassthrough else {
      return []
    }
    let names = tls.credentialNames + [tls.credentialName].compactMap { $0 }
    let named = names.compactMap { name -> (Located<String>, [UInt8], [UInt8])? in
      guard case .success(let found) = credentials.certificate(name.value) else { return nil }
      return (name, found.chainPEM, found.keyPEM)
    }
    let pairs = tls.tlsCertificates.isEmpty ? [tls.files] : tls.tlsCertificates
    return named
      + pairs.compactMap { pair in
        guard let chain = pair.serverCertificate, let key = pair.privateKey,
          let chainPEM = context.readFile(chain.value),
          let keyPEM = context.readFile(key.value)
        else { return nil }
        return (chain, chainPEM, keyPEM)
      }
  }

  private static func check(_ report: CertificateReport, _ subject: Subject) -> [Diagnostic] {
    if let problem = report.problem { return [subject.finding("IST0161", "cannot be used: \(problem)")] }
    return [
      dates(report, subject), hosts(report, subject), chain(report, subject), issuer(report, subject),
      key(report, subject), usage(report, subject),
    ].compactMap { $0 }
  }

  /// IST0161, SP1040, SP1046
  private static func dates(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    let left = report.notAfter - subject.now
    if left <= 0 { return subject.finding("IST0161", "has expired \(days(-left)) ago", help: "renew it") }
    if report.notBefore > subject.now {
      return subject.finding("SP1046", "is not valid before \(days(report.notBefore - subject.now)) from now")
    }
    return left < soon ? subject.finding("SP1040", "expires in \(days(left))", help: "renew it") : nil
  }

  private static func days(_ seconds: Int64) -> String {
    let days = seconds / 86_400
    return days == 0 ? "less than a day" : days == 1 ? "1 day" : "\(days) days"
  }

  /// SP1041
  private static func hosts(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    let hosts = subject.server.hosts.map { ListenerBuilder.Server.dnsName($0.value).lowercased() }
    let missing = hosts.filter { host in host != "*" && !report.names.contains { covers($0.lowercased(), host) } }
    guard !missing.isEmpty else { return nil }
    let names = report.names.isEmpty ? "no names" : report.names.joined(separator: ", ")
    return subject.finding(
      "SP1041", "is not for \(missing.joined(separator: ", ")): clients will refuse it", help: "it has \(names)")
  }

  /// A wildcard of a certificate stands for one label (RFC 9525, section 6.3).
  private static func covers(_ name: String, _ host: String) -> Bool {
    if name == host { return true }
    guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
    return !host.hasPrefix("*") && host[dot...] == name.dropFirst()
  }

  /// SP1042
  private static func chain(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    report.isOrdered
      ? nil
      : subject.finding(
        "SP1042", "has a chain that is not in order", help: "the server's certificate first, then its issuer, and so on"
      )
  }

  /// SP1043
  private static func issuer(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    report.unknownIssuer.map {
      subject.finding(
        "SP1043", "has a chain that ends at the issuer \"\($0)\", which is no root of this machine",
        help: "add the intermediate certificates, unless clients know this issuer")
    }
  }

  /// SP1044
  private static func key(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    let least = report.keyType == "RSA" ? 2048 : report.keyType == "EC" ? 224 : 0
    guard report.keyBits < least else { return nil }
    return subject.finding("SP1044", "has a weak key: \(report.keyType) of \(report.keyBits) bits")
  }

  /// SP1045
  private static func usage(_ report: CertificateReport, _ subject: Subject) -> Diagnostic? {
    report.isForServers
      ? nil : subject.finding("SP1045", "is not for servers: its extended key usage has no serverAuth")
  }
}
