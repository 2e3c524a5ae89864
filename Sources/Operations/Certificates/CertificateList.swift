import Routing
import Transport

/// The certificates that a snapshot serves with, for `/certs`, `pc secret` and readiness.
package struct CertificateList {
  /// `kubernetes://httpbin-credential`
  package let resourceName: String
  package let source: String
  package let facts: CertificateFacts?
  /// Why it is not in use.
  package let problem: String?

  package var daysLeft: Int {
    facts.map { Int(($0.notAfter - TimeText.epochSeconds) / 86_400) } ?? Int.max
  }

  /// All certificates of the snapshot.
  package static func of(_ snapshot: Snapshot) -> [CertificateList] {
    var seen: Set<String> = []
    return snapshot.policies.flatMap { policy in
      policy.certificates.map { certificate in
        CertificateList(
          resourceName: certificate.resourceName, source: certificate.source,
          facts: CertificateFacts(pem: certificate.chainPEM), problem: policy.problem)
      }
    }.filter { seen.insert($0.source).inserted }
  }

  var json: JSON {
    .object([
      ("name", .string(resourceName)), ("source", .string(source)), ("subject", .optional(facts?.subject)),
      ("issuer", .optional(facts?.issuer)), ("serial_number", .optional(facts?.serial)),
      ("subject_alt_names", .strings(facts?.names ?? [])),
      ("valid_from", .optional(facts.map { TimeText.iso($0.notBefore * 1000) })),
      ("expiration_time", .optional(facts.map { TimeText.iso($0.notAfter * 1000) })),
      ("days_until_expiration", facts == nil ? .null : .number(daysLeft)), ("private_key", .string("[redacted]")),
      ("problem", .optional(problem)),
    ])
  }
}
