import Resources

/// Finds certificates, keys and CAs in secrets, with Istio's names and forms (`credentials/kube/secrets.go`).
struct CredentialStore {
  private let secrets: [String: Resource<Secret>]
  private let configMaps: [String: Resource<ConfigMap>]
  private let identity: InstanceIdentity

  init(_ resources: ResourceSet, for identity: InstanceIdentity) {
    self.identity = identity
    var secrets: [String: Resource<Secret>] = [:]
    for secret in resources.secrets { secrets[secret.reference] = secret }
    self.secrets = secrets
    configMaps = Dictionary(resources.configMaps.map { ($0.reference, $0) }) { _, last in last }
  }

  /// A problem with a credential, in words for people, with a hint.
  struct Problem: Error {
    let code: String
    let message: String
    let help: String?
  }

  /// The secret's name from `name`, `kubernetes://name` or `kubernetes://ns/name`.
  private func name(_ credential: String) -> String {
    var name = Substring(credential)
    if name.hasPrefix("kubernetes://") { name = name.dropFirst("kubernetes://".count) }
    if let slash = name.firstIndex(of: "/"), name[..<slash] == identity.namespace {
      name = name[name.index(after: slash)...]
    }
    return String(name)
  }

  private func secret(_ name: String) -> Resource<Secret>? { secrets["\(identity.namespace)/\(name)"] }

  /// The certificate chain and key of a credential.
  func certificate(_ credential: String) -> Result<TLSServerPolicy.Certificate, Problem> {
    let name = name(credential)
    guard let secret = secret(name) else { return .failure(missing(name)) }
    let data = secret.spec.data
    for (certificate, key) in [("cert", "key"), ("tls.crt", "tls.key")] {
      guard let chain = data[certificate], let privateKey = data[key] else { continue }
      guard !chain.isEmpty, !privateKey.isEmpty else {
        return .failure(
          Problem(
            code: "IST0161",
            message: "found keys \"\(certificate)\" and \"\(key)\" in \(secret.description), but they were empty",
            help: nil))
      }
      return .success(
        TLSServerPolicy.Certificate(
          chainPEM: chain, keyPEM: privateKey, source: secret.description, resourceName: "kubernetes://\(name)"))
    }
    let found = data.keys.sorted().prefix(3).joined(separator: ", ")
    return .failure(
      Problem(
        code: "IST0161",
        message:
          "found secret \(secret.reference), but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: \(found)",
        help: nil))
  }

  /// The CA of a credential: `NAME-cacert` before `NAME`; a ConfigMap's for `configmap://NAMESPACE/NAME`.
  func authority(_ credential: String) -> (pem: [UInt8], crl: [UInt8]?)? {
    if credential.hasPrefix("configmap://") { return configured(credential.dropFirst("configmap://".count)) }
    let name = name(credential)
    for candidate in ["\(name)-cacert", name] {
      guard let data = secret(candidate)?.spec.data else { continue }
      if let pem = data["cacert"] { return (pem, data["crl"]) }
      if let pem = data["ca.crt"] { return (pem, data["ca.crl"]) }
    }
    return nil
  }

  private func configured(_ name: Substring) -> (pem: [UInt8], crl: [UInt8]?)? {
    let reference = name.contains("/") ? String(name) : "\(identity.namespace)/\(name)"
    guard let data = configMaps[reference]?.spec.data, let pem = data["ca.crt"] ?? data["cacert"] else { return nil }
    return (Array(pem.utf8), (data["ca.crl"] ?? data["crl"]).map { Array($0.utf8) })
  }

  /// Says which namespace was looked at, and where a secret of that name is.
  private func missing(_ name: String) -> Problem {
    let elsewhere = secrets.values.filter { $0.metadata.name == name }.map(\.metadata.namespace).sorted()
    let help: String?
    if let other = elsewhere.first {
      help =
        "there is a secret of that name in namespace \"\(other)\"; it must be in the namespace of the gateway instance, \"\(identity.namespace)\""
    } else {
      let names = secrets.values.filter { $0.metadata.namespace == identity.namespace }.map(\.metadata.name)
      help = Suggestion.help(for: name, among: names)
    }
    return Problem(
      code: "IST0101",
      message: "Referenced credentialName not found: \"\(name)\" in namespace \"\(identity.namespace)\"",
      help: help)
  }
}
