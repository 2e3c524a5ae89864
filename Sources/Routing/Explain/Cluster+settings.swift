extension Cluster.Settings {
  /// Everything that is known of the upstream besides its name, in the words of DestinationRule and Envoy. Keys and
  /// certificates are counted, never shown.
  package var described: [Setting] {
    var all = [
      Setting("type", discovery.rawValue), Setting("loadBalancer", balancingText),
      Setting("protocol", httpProtocol.rawValue),
      Setting("connectTimeout", Snapshot.duration(connectTimeoutMilliseconds)),
      Setting("idleTimeout", idleTimeoutMilliseconds == 0 ? "none" : Snapshot.duration(idleTimeoutMilliseconds)),
    ]
    if maxRequestsPerConnection > 0 { all.append(Setting("maxRequestsPerConnection", "\(maxRequestsPerConnection)")) }
    if let destinationRule { all.append(Setting("destinationRule", destinationRule)) }
    if isExternal { all.append(Setting("location", "MESH_EXTERNAL")) }
    all.append(Setting("endpoints", endpointTexts.isEmpty ? "none" : endpointTexts.joined(separator: ", ")))
    return all + (tls?.described ?? [Setting("tls", "none")])
  }

  /// The fields that `described` puts into words.
  private static let describedFields: Set<String> = [
    "name", "host", "port", "subset", "discovery", "endpoints", "dnsNames", "isExternal", "connectTimeoutMilliseconds",
    "idleTimeoutMilliseconds", "maxRequestsPerConnection", "loadBalancing", "httpProtocol", "tls", "destinationRule",
  ]

  /// All other fields under their own names, so that a comparison misses none.
  package var undescribed: [Setting] {
    Swift.Mirror(reflecting: self).children.flatMap { child in
      guard let label = child.label, !Self.describedFields.contains(label) else { return [Setting]() }
      return Setting.fields(label, child.value)
    }
  }

  /// Envoy's name of the policy.
  package var balancingText: String {
    switch hashPolicy?.table {
    case .ring: return "RING_HASH"
    case .maglev: return "MAGLEV"
    case nil: return loadBalancing.rawValue
    }
  }

  /// `127.0.0.1:18080`, `httpbin.org:443`; with weights, priorities and shares of localities where they differ.
  package var endpointTexts: [String] {
    let all =
      endpoints.map { ($0.text, $0.weight, $0.priority, $0.locality, $0.localityWeight) }
      + dnsNames.map { ("\($0.name):\($0.port)", $0.weight, $0.priority, $0.locality, $0.localityWeight) }
    let isWeighted = Set(all.map(\.1)).count > 1
    let isRanked = all.contains { $0.2 > 0 }
    return all.map { place, weight, priority, locality, share in
      var text = place
      if isWeighted { text += " weight \(weight)" }
      if isRanked { text += " priority \(priority)" }
      if isRanked || share > 0, !locality.isEmpty { text += " in \(locality)" }
      if share > 0 { text += " with \(share) of 100" }
      return text
    }
  }
}

extension TLSClientPolicy {
  /// How TLS is originated.
  package var described: [Setting] {
    var all = [Setting("tls.mode", mode), Setting("tls.sni", serverName ?? "none"), Setting("tls.verifies", verified)]
    if !insecureSkipVerify { all.append(Setting("tls.caCertificates", authority.text)) }
    if let identity { all.append(Setting("tls.clientCertificate", identity.text)) }
    if let crlFile { all.append(Setting("tls.caCrl", crlFile)) }
    if let problem { all.append(Setting("tls.problem", problem)) }
    return all
  }

  /// The names that the upstream's certificate must have.
  package var verifiedNames: [String] {
    insecureSkipVerify ? [] : subjectAltNames.isEmpty ? [verifiedHost].compactMap { $0 } : subjectAltNames
  }

  private var verified: String {
    if insecureSkipVerify { return "nothing (insecureSkipVerify)" }
    return verifiedNames.isEmpty ? "no name" : verifiedNames.joined(separator: " or ")
  }
}

extension TLSClientPolicy.Authority {
  /// `system`, a file, or how large a PEM text from a secret is and which.
  var text: String {
    switch self {
    case .system: return "system"
    case .file(let name): return name
    case .pem(let bytes): return "from a secret (\(bytes.count) bytes, \(Fingerprint.text(bytes)))"
    }
  }
}

extension TLSClientPolicy.Identity {
  var text: String {
    switch self {
    case .files(let chain, _): return chain
    case .pem(let chain, _): return "from a secret (\(chain.count) bytes, \(Fingerprint.text(chain)))"
    }
  }
}

/// Tells texts apart that are not shown. Not for security: FNV-1a.
enum Fingerprint {
  static func text(_ bytes: [UInt8]) -> String {
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
