/// Credentials as istioctl prints them.
package enum CredentialName {
  /// `kubernetes://NAME`
  package static func certificate(_ credential: String) -> String {
    credential.contains("://") ? credential : "kubernetes://\(credential)"
  }

  /// The CA that belongs to a credential: `kubernetes://NAME-cacert`.
  package static func authority(_ credential: String) -> String {
    credential.hasPrefix("configmap://") || credential.hasSuffix("-cacert")
      ? certificate(credential) : certificate(credential) + "-cacert"
  }
}
