import Resources
import Transport

extension ConfigurationSource {
  /// Puts back the data in force of secrets whose certificate and key have come to be unusable: half of a renewal was
  /// read, or the two do not belong together. One that was not usable before is taken as it is.
  static func keepSecrets(
    _ read: inout LoadResult, from earlier: [Resource<Secret>]
  ) -> [(name: String, error: Diagnostic)] {
    var kept: [(name: String, error: Diagnostic)] = []
    for (index, secret) in read.resources.secrets.enumerated() {
      guard let before = earlier.last(where: { $0.reference == secret.reference }),
        before.spec.data != secret.spec.data, let pair = pair(before.spec), problem(with: pair) == nil,
        let problem = Self.pair(secret.spec).map(problem) ?? "the secret has no certificate with its key any more"
      else { continue }
      read.resources.secrets[index] = Resource(
        kind: secret.kind, metadata: secret.metadata, location: secret.location, spec: before.spec)
      kept.append(
        (
          secret.description,
          Diagnostic(
            "IST0161", .error, "\(secret.description) cannot be used: \(problem)", at: secret.location,
            resource: secret.description, hidesSource: true)
        ))
    }
    return kept
  }

  private static func pair(_ secret: Secret) -> (chain: [UInt8], key: [UInt8])? {
    for (certificate, key) in [("cert", "key"), ("tls.crt", "tls.key")] {
      if let chain = secret.data[certificate], let key = secret.data[key] { return (chain, key) }
    }
    return nil
  }

  private static func problem(with pair: (chain: [UInt8], key: [UInt8])) -> String? {
    CertificateFacts.problem(chainPEM: pair.chain, keyPEM: pair.key)
  }
}
