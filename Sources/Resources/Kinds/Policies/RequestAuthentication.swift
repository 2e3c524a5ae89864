/// security.istio.io RequestAuthentication: which tokens a workload accepts. It is read and checked; the gateway does not
/// verify tokens, and says so of each that is for it.
package struct RequestAuthentication: Sendable {
  package let scope: PolicyScope
  package let jwtRules: [JWTRule]

  init(_ reader: FieldReader) {
    scope = PolicyScope(reader)
    jwtRules = reader.objects("jwtRules", JWTRule.init)
    if jwtRules.count > 4096 {
      reader.context.error(
        "jwtRules: at most 4096 are allowed, found \(jwtRules.count)", at: reader.keyLocation("jwtRules"))
    }
  }
}
