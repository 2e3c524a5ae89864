import Resources

/// Turns a server's `tls` into a policy, with the certificates that it names.
struct TLSPolicyBuilder {
  let credentials: CredentialStore
  /// Reads certificate files that a server names; the compiler itself touches no files.
  let readFile: (String) -> [UInt8]?

  /// The policy, and what is wrong with it: then connections to it are refused and everything else works.
  func policy(
    for server: ListenerBuilder.Server
  ) -> (policy: TLSServerPolicy, diagnostics: [Diagnostic]) {
    guard let tls = server.server.tls else { return (empty(problem: "no TLS settings"), []) }
    var policy = empty(problem: nil)
    policy.mode = mode(tls)
    policy.minimumVersion = version(tls.minProtocolVersion?.value) ?? .tls12
    policy.maximumVersion = version(tls.maxProtocolVersion?.value) ?? .tls13
    policy.cipherSuites = tls.cipherSuites.map(\.value).filter { ServerTLSSettings.knownCipherSuites.contains($0) }
    policy.alpn = server.portProtocol == .https ? ["h2", "http/1.1"] : []
    policy.subjectAltNames = tls.subjectAltNames.map(\.value)
    policy.spkiPins = tls.spkiPins.map(\.value)
    policy.certificateHashes = tls.certificateHashes.map(\.value)
    policy.acceptsUntrusted = tls.insecureSkipVerify?.value ?? false
    var diagnostics: [Diagnostic] = []
    let report = { (code: String, message: String, location: SourceLocation?, help: String?) in
      diagnostics.append(
        Diagnostic(code, .error, message, at: location, resource: server.gateway.description, help: help))
    }
    fillCertificates(&policy, tls, report)
    fillAuthority(&policy, tls, report)
    if policy.mode == .istioMutual {
      policy.problem = "tls.mode ISTIO_MUTUAL needs workload certificates, which this instance does not have"
      report("SP1001", policy.problem ?? "", tls.mode?.location, nil)
    }
    return (policy, diagnostics)
  }

  private typealias Report = (String, String, SourceLocation?, String?) -> Void

  private func empty(problem: String?) -> TLSServerPolicy {
    TLSServerPolicy(
      mode: .simple, minimumVersion: .tls12, maximumVersion: .tls13, cipherSuites: [], alpn: [], certificates: [],
      clientCAPEM: nil, crlPEM: nil, subjectAltNames: [], spkiPins: [], certificateHashes: [], acceptsUntrusted: false,
      problem: problem)
  }

  private func mode(_ tls: ServerTLSSettings) -> TLSServerPolicy.Mode {
    switch tls.effectiveMode {
    case .mutual: return .mutual
    case .optionalMutual: return .optionalMutual
    case .istioMutual: return .istioMutual
    case .simple, .passthrough, .autoPassthrough: return .simple
    }
  }

  private func version(_ version: ServerTLSSettings.Version?) -> TLSServerPolicy.Version? {
    switch version {
    case .tls10: return .tls10
    case .tls11: return .tls11
    case .tls12: return .tls12
    case .tls13: return .tls13
    case .automatic, nil: return nil
    }
  }

  private func fillCertificates(_ policy: inout TLSServerPolicy, _ tls: ServerTLSSettings, _ report: Report) {
    let names = tls.credentialNames.isEmpty ? [tls.credentialName].compactMap { $0 } : tls.credentialNames
    for name in names {
      switch credentials.certificate(name.value) {
      case .success(let certificate): policy.certificates.append(certificate)
      case .failure(let problem):
        policy.problem = policy.problem ?? problem.message
        policy.missingCertificates.append(CredentialName.certificate(name.value))
        report(problem.code, problem.message, name.location, problem.help)
      }
    }
    guard names.isEmpty else { return }
    let pairs = tls.tlsCertificates.isEmpty ? [tls.files] : tls.tlsCertificates
    for pair in pairs {
      guard let chain = pair.serverCertificate, let key = pair.privateKey else { continue }
      guard let chainPEM = readFile(chain.value), let keyPEM = readFile(key.value) else {
        let missing = readFile(chain.value) == nil ? chain : key
        policy.problem = "cannot read \(missing.value)"
        policy.missingCertificates.append("file-cert:\(chain.value)~\(key.value)")
        report("IST0161", "cannot read \(missing.value)", missing.location, nil)
        continue
      }
      policy.certificates.append(
        .init(chainPEM: chainPEM, keyPEM: keyPEM, source: chain.value, resourceName: "file-cert:\(chain.value)"))
    }
  }

  private func fillAuthority(_ policy: inout TLSServerPolicy, _ tls: ServerTLSSettings, _ report: Report) {
    guard policy.mode == .mutual || policy.mode == .optionalMutual else { return }
    if let name = tls.caCertCredentialName ?? tls.credentialName ?? tls.credentialNames.first {
      policy.clientCAName = CredentialName.authority(name.value)
      if let authority = credentials.authority(name.value) {
        policy.clientCAPEM = authority.pem
        policy.crlPEM = authority.crl
      } else {
        policy.problem = "no CA for client certificates in secret \(name.value)-cacert or \(name.value)"
        report("IST0101", "Referenced credentialName not found: \"\(name.value)-cacert\"", name.location, nil)
      }
    } else if let file = tls.files.caCertificates {
      policy.clientCAName = "file-root:\(file.value)"
      policy.clientCAPEM = readFile(file.value)
      policy.crlPEM = tls.caCrl.flatMap { readFile($0.value) }
      if policy.clientCAPEM == nil {
        policy.problem = "cannot read \(file.value)"
        report("IST0161", "cannot read \(file.value)", file.location, nil)
      }
    }
  }
}
