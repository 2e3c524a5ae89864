import Resources
import Routing
import Transport

extension CertificateReport {
  /// Looks at a chain and its key for `check`.
  package init(chainPEM: [UInt8], keyPEM: [UInt8]) {
    self.init()
    problem = CertificateFacts.problem(chainPEM: chainPEM, keyPEM: keyPEM)
    let chain = CertificateFacts.read(pem: chainPEM)
    guard let leaf = chain.first else { return }
    subject = leaf.subject
    issuer = leaf.issuer
    names = leaf.names
    notBefore = leaf.notBefore
    // A chain ends when the first of its certificates does.
    notAfter = chain.map(\.notAfter).min() ?? leaf.notAfter
    keyType = leaf.keyType
    keyBits = leaf.keyBits
    isOrdered = CertificateFacts.isOrdered(chain)
    isForServers = leaf.isForServers
    if let last = chain.last, !last.isSelfSigned, !Self.roots.contains(last.issuer) { unknownIssuer = last.issuer }
  }

  /// The subjects of this machine's roots.
  private static let roots: Set<String> = {
    let files = [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]
    guard let bytes = files.lazy.compactMap({ FileSystem.read($0) }).first else { return [] }
    return Set(CertificateFacts.read(pem: bytes).map(\.subject))
  }()
}
