extension TLSServerPolicy {
  /// How TLS is terminated, in the words of Gateway `tls`. Certificates are told apart by a digest, keys not shown.
  func described(_ inspect: CertificateInspector) -> [Setting] {
    let chains = certificates.map { certificate in
      let summary = inspect(certificate.chainPEM, "").map { " \($0.text)" } ?? ""
      return "\(certificate.resourceName)\(summary) (\(Fingerprint.text(certificate.chainPEM)))"
    }
    var all = [
      Setting("mode", mode.rawValue),
      Setting("certificates", chains.isEmpty ? "none" : chains.joined(separator: ", ")),
      Setting("minProtocolVersion", "\(minimumVersion)"), Setting("maxProtocolVersion", "\(maximumVersion)"),
      Setting("alpn", alpn.joined(separator: ",")),
    ]
    if !cipherSuites.isEmpty { all.append(Setting("cipherSuites", cipherSuites.joined(separator: ","))) }
    if let clientCAPEM { all.append(Setting("clientCA", Fingerprint.text(clientCAPEM))) }
    if let crlPEM { all.append(Setting("crl", Fingerprint.text(crlPEM))) }
    let lists = [
      ("subjectAltNames", subjectAltNames), ("verifyCertificateSpki", spkiPins),
      ("verifyCertificateHash", certificateHashes),
    ]
    for (name, values) in lists where !values.isEmpty {
      all.append(Setting(name, values.joined(separator: ", ")))
    }
    if acceptsUntrusted { all.append(Setting("insecureSkipVerify", "true")) }
    if let problem { all.append(Setting("problem", problem)) }
    return all
  }
}

extension InstanceSettings {
  /// What `meshConfig` says.
  var described: [Setting] {
    var all = [Setting("pathNormalization", pathNormalization.rawValue)]
    all.append(Setting("forwardClientCertDetails", forwardClientCert.rawValue))
    if let accessLogFile { all.append(Setting("accessLogFile", accessLogFile)) }
    if let accessLogIsJSON { all.append(Setting("accessLogEncoding", accessLogIsJSON ? "JSON" : "TEXT")) }
    return all
  }
}

extension Probe {
  /// What is asked of which cluster, and how often.
  func described(_ snapshot: Snapshot) -> [Setting] {
    [
      Setting("cluster", cluster >= 0 ? snapshot.clusters[Int(cluster)].name : "none"), Setting("target", target),
      Setting("initialDelaySeconds", "\(initialDelaySeconds)"), Setting("periodSeconds", "\(periodSeconds)"),
      Setting("timeoutSeconds", "\(timeoutSeconds)"), Setting("successThreshold", "\(successThreshold)"),
      Setting("failureThreshold", "\(failureThreshold)"),
      Setting(
        "gates",
        [gatesReadiness ? "readiness" : nil, gatesLoadBalancing ? "loadBalancing" : nil]
          .compactMap { $0 }.joined(separator: ",")),
      Setting("minHealthyPercent", "\(minHealthyPercent)"),
    ]
  }
}
