import Resources

/// How upstreams are spoken to in TLS.
extension ClusterBuilder {
  /// What TLS is originated with. Without `sni` the server name is the host of the ServiceEntry, and the certificate
  /// must be for it: the downstream Host, which Istio would use, is another name in the egress pattern, and every
  /// handshake would fail.
  func originate(
    _ tls: ClientTLSSettings, host: String, entrySANs: [String], _ request: Request
  ) -> TLSClientPolicy? {
    guard tls.effectiveMode != .disable else { return nil }
    var policy = TLSClientPolicy(mode: tls.effectiveMode.rawValue)
    policy.insecureSkipVerify = tls.insecureSkipVerify?.value ?? false
    policy.crlFile = tls.caCrl?.value
    policy.subjectAltNames = tls.subjectAltNames.isEmpty ? entrySANs : tls.subjectAltNames.map(\.value)
    policy.serverName = tls.sni?.value ?? (host.hasPrefix("*") ? nil : host)
    policy.verifiedHost = policy.subjectAltNames.isEmpty ? policy.serverName : nil
    if policy.verifiedHost == nil, policy.subjectAltNames.isEmpty, !policy.insecureSkipVerify {
      let problem = "\(host) is a wildcard: tls.sni or tls.subjectAltNames must say which name to verify"
      policy.problem = problem
      report("SP1055", .error, problem, tls.location, request)
    }
    if tls.effectiveMode == .istioMutual {
      let problem = "tls.mode ISTIO_MUTUAL needs workload certificates, which this instance does not have"
      policy.problem = problem
      report("SP1001", .error, problem, tls.mode?.location, request, "requests for \(host) get 503")
    }
    fillCredentials(&policy, tls, request)
    return policy
  }

  private func fillCredentials(_ policy: inout TLSClientPolicy, _ tls: ClientTLSSettings, _ request: Request) {
    if let file = tls.caCertificates?.value, file != "system" { policy.authority = .file(file) }
    if let chain = tls.clientCertificate?.value, let key = tls.privateKey?.value {
      policy.identity = .files(chain: chain, key: key)
    }
    checkFiles(&policy, tls, request)
    guard let credential = tls.credentialName else { return }
    policy.credentialName = credential.value
    if let authority = credentials.authority(credential.value) { policy.authority = .pem(authority.pem) }
    switch (tls.effectiveMode, credentials.certificate(credential.value)) {
    case (.mutual, .success(let certificate)):
      policy.identity = .pem(chain: certificate.chainPEM, key: certificate.keyPEM)
    case (.mutual, .failure(let problem)):
      policy.problem = problem.message
      report(problem.code, .error, problem.message, credential.location, request, problem.help)
    default:
      guard credentials.authority(credential.value) == nil else { return }
      let message =
        credential.value.hasPrefix("configmap://")
        ? "Referenced credentialName not found: \"\(credential.value)\" with a CA in ca.crt"
        : "Referenced credentialName not found: \"\(credential.value)-cacert\" or \"\(credential.value)\" with a CA"
      policy.problem = message
      report("IST0101", .error, message, credential.location, request)
    }
  }

  /// A file that cannot be read: no connection is made without what it says, of revoked certificates too.
  private func checkFiles(_ policy: inout TLSClientPolicy, _ tls: ClientTLSSettings, _ request: Request) {
    let files = [
      ("caCertificates", tls.caCertificates?.value == "system" ? nil : tls.caCertificates), ("caCrl", tls.caCrl),
      ("clientCertificate", tls.clientCertificate), ("privateKey", tls.privateKey),
    ]
    for (field, file) in files {
      guard let file, !file.value.isEmpty, readFile(file.value) == nil else { continue }
      policy.problem = policy.problem ?? "cannot read \(file.value)"
      report(
        "IST0101", .error, "Referenced \(field) not found: \"\(file.value)\"", file.location, request,
        "the file must be where the gateway runs; requests for \(request.host.value) get 503")
    }
  }
}
