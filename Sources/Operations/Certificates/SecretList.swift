import Routing
import Transport

/// Everything that TLS needs on both sides, found or not: what `istioctl proxy-config secret` lists.
struct SecretList {
  /// One row.
  struct Entry {
    let name: String
    /// A CA and not a certificate with its key.
    let isAuthority: Bool
    /// nil: it is not there, or cannot be read.
    let facts: CertificateFacts?
    /// The certificate and its key do not serve together: connections that need them are refused.
    var isUnusable = false

    var isActive: Bool { facts != nil && !isUnusable }
  }

  private(set) var entries: [Entry] = []

  init(_ snapshot: Snapshot) {
    for policy in snapshot.policies { add(policy) }
    for settings in snapshot.clusters.map(\.settings) { if let tls = settings.tls { add(tls) } }
  }

  private mutating func add(_ policy: TLSServerPolicy) {
    for certificate in policy.certificates {
      add(certificate.resourceName, chain: certificate.chainPEM, key: certificate.keyPEM)
    }
    for name in policy.missingCertificates { add(name, isAuthority: false, nil) }
    guard let name = policy.clientCAName else { return }
    add(name, isAuthority: true, policy.clientCAPEM.flatMap { CertificateFacts(pem: $0) })
  }

  private mutating func add(_ policy: TLSClientPolicy) {
    guard let credential = policy.credentialName else { return }
    if case .pem(let chain, let key)? = policy.identity {
      add(CredentialName.certificate(credential), chain: chain, key: key)
    } else if policy.mode == "MUTUAL" {
      add(CredentialName.certificate(credential), isAuthority: false, nil)
    }
    if case .pem(let bytes) = policy.authority {
      add(CredentialName.authority(credential), isAuthority: true, CertificateFacts(pem: bytes))
    } else if policy.mode != "MUTUAL" {
      add(CredentialName.authority(credential), isAuthority: true, nil)
    }
  }

  private mutating func add(_ name: String, isAuthority: Bool, _ facts: CertificateFacts?) {
    add(Entry(name: name, isAuthority: isAuthority, facts: facts))
  }

  private mutating func add(_ name: String, chain: [UInt8], key: [UInt8]) {
    var entry = Entry(name: name, isAuthority: false, facts: CertificateFacts(pem: chain))
    entry.isUnusable = CertificateFacts.problem(chainPEM: chain, keyPEM: key) != nil
    add(entry)
  }

  private mutating func add(_ entry: Entry) {
    if !entries.contains(where: { $0.name == entry.name }) { entries.append(entry) }
  }

  /// As Envoy has them in its dump, those that are in use and those that it still waits for.
  var active: JSON { .array(entries.filter(\.isActive).map(json)) }

  var warming: JSON { .array(entries.filter { !$0.isActive }.map(json)) }

  private func json(_ entry: Entry) -> JSON {
    let now = TimeText.epochSeconds
    var fields: [(String, JSON)] = [
      ("name", .string(entry.name)), ("type", .string(entry.isAuthority ? "CA" : "Cert Chain")),
      ("serial_number", .optional(entry.facts?.serial)), ("subject", .optional(entry.facts?.subject)),
      ("subject_alt_names", .strings(entry.facts?.names ?? [])),
      ("valid_from", .optional(entry.facts.map { TimeText.seconds($0.notBefore) })),
      ("expiration_time", .optional(entry.facts.map { TimeText.seconds($0.notAfter) })),
      ("valid", .bool(entry.isActive && (entry.facts.map { $0.notBefore <= now && now < $0.notAfter } ?? false))),
    ]
    if !entry.isAuthority { fields.append(("private_key", .string("[redacted]"))) }
    return .object(fields)
  }
}
