import Routing
import Transport

/// Reads certificates for explanations, live and offline alike.
package enum CertificateInspection {
  package static let inspector: CertificateInspector = { chainPEM, serverName in
    CertificateFacts(pem: chainPEM).map {
      CertificateSummary(text: $0.summary, isForServerName: $0.covers(serverName))
    }
  }
}
