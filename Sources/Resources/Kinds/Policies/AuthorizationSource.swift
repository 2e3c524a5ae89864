/// `rules[].from[].source`: who sends a request. All fields that are given must hold.
package struct AuthorizationSource: Sendable {
  package let principals: AuthorizationValues
  package let requestPrincipals: AuthorizationValues
  package let namespaces: AuthorizationValues
  package let serviceAccounts: AuthorizationValues
  package let trustDomains: AuthorizationValues
  /// Addresses of the connection's peer.
  package let ipBlocks: AuthorizationValues
  /// Addresses of the client, by X-Forwarded-For or the PROXY protocol.
  package let remoteIpBlocks: AuthorizationValues

  init(_ reader: FieldReader, _ index: Int, _ action: AuthorizationPolicy.Action) {
    principals = AuthorizationValues(reader, "principals")
    requestPrincipals = AuthorizationValues(reader, "requestPrincipals")
    namespaces = AuthorizationValues(reader, "namespaces")
    serviceAccounts = AuthorizationValues(reader, "serviceAccounts", AuthorizationChecks.serviceAccount)
    trustDomains = AuthorizationValues(reader, "trustDomains", AuthorizationChecks.trustDomain)
    ipBlocks = AuthorizationValues(reader, "ipBlocks", AuthorizationChecks.address)
    remoteIpBlocks = AuthorizationValues(reader, "remoteIpBlocks", AuthorizationChecks.address)
    let all = [principals, requestPrincipals, namespaces, serviceAccounts, trustDomains, ipBlocks, remoteIpBlocks]
    if all.allSatisfy(\.isEmpty), !reader.hasUnknownFields {
      reader.context.error("`from.source` must not be empty, found at rule \(index)", at: reader.location)
    }
    check(reader, index)
    if action == .custom { checkCustom(reader.context) }
  }

  /// Whether something in it can be told of a connection without HTTP.
  var isOfTCP: Bool {
    ![principals, namespaces, serviceAccounts, trustDomains, ipBlocks, remoteIpBlocks].allSatisfy(\.isEmpty)
  }

  private func check(_ reader: FieldReader, _ index: Int) {
    let accounts = serviceAccounts.values + serviceAccounts.notValues
    if let first = accounts.first, !principals.isEmpty || !namespaces.isEmpty {
      reader.context.error(
        "cannot set serviceAccounts with namespaces or principals, found at rule \(index)", at: first.location,
        help: "write namespace/serviceAccount")
    }
    for (name, list) in [
      ("serviceAccounts", serviceAccounts.values), ("notServiceAccounts", serviceAccounts.notValues),
    ]
    where list.count > 16 {
      reader.context.error("\(name): may not have more than 16 values", at: reader.keyLocation(name))
    }
  }

  /// What an external authorizer is not asked about: who the peer is.
  private func checkCustom(_ context: DecodingContext) {
    let identities = [
      ("Namespaces", namespaces), ("Principals", principals), ("RequestPrincipals", requestPrincipals),
      ("ServiceAccounts", serviceAccounts), ("TrustDomains", trustDomains),
    ]
    for (name, values) in identities {
      for (prefix, list) in [("", values.values), ("Not", values.notValues)] {
        guard let first = list.first else { continue }
        context.error("From.\(prefix)\(name) is currently not supported with CUSTOM action", at: first.location)
      }
    }
  }
}
