/// `jwtRules[]` of a RequestAuthentication: an issuer, its keys, and where its tokens are.
package struct JWTRule: Sendable {
  /// A header that holds a token, behind a prefix.
  package struct Header: Sendable {
    package let name: Located<String>?
    package let prefix: Located<String>?

    init(_ reader: FieldReader) {
      name = reader.string("name")
      prefix = reader.string("prefix")
      reader.require("name", name, "location header name must be non-empty string")
    }
  }

  /// A claim that is copied to a header of the request.
  package struct ClaimHeader: Sendable {
    package let header: Located<String>?
    package let claim: Located<String>?

    init(_ reader: FieldReader) {
      header = reader.string("header")
      claim = reader.string("claim")
      let message = "outputClaimToHeaders header and claim value must be non-empty string"
      if header != nil || reader.has("claim") { reader.require("header", header, message) }
      if header != nil || claim == nil { reader.require("claim", claim, message) }
      guard let header, !header.value.isEmpty else { return }
      let isValid = header.value.utf8.allSatisfy { byte in
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
      }
      if !isValid {
        reader.context.error("header name \(header.value) is not a valid header name", at: header.location)
      }
    }
  }

  package let issuer: Located<String>?
  package let audiences: [Located<String>]
  package let jwksURI: Located<String>?
  /// Keys that stand in the resource; they win over `jwksUri`.
  package let jwks: Located<String>?
  package let fromHeaders: [Header]
  package let fromParams: [Located<String>]
  package let fromCookies: [Located<String>]
  package let outputPayloadToHeader: Located<String>?
  package let forwardOriginalToken: Located<Bool>?
  package let outputClaimToHeaders: [ClaimHeader]
  /// In milliseconds: how long the keys may take to come.
  package let timeout: Located<Int>?
  package let spaceDelimitedClaims: [Located<String>]

  init(_ reader: FieldReader) {
    issuer = reader.string("issuer")
    audiences = reader.strings("audiences")
    jwksURI = reader.string("jwksUri")
    jwks = reader.string("jwks")
    fromHeaders = reader.objects("fromHeaders", null: "location header name must be non-null", Header.init)
    fromParams = reader.strings("fromParams")
    fromCookies = reader.strings("fromCookies")
    outputPayloadToHeader = reader.string("outputPayloadToHeader")
    forwardOriginalToken = reader.boolean("forwardOriginalToken")
    outputClaimToHeaders = reader.objects(
      "outputClaimToHeaders", null: "outputClaimToHeaders must not be null", ClaimHeader.init)
    timeout = reader.duration("timeout")
    spaceDelimitedClaims = reader.strings("spaceDelimitedClaims")
    check(reader)
  }

  /// Istio's `validateJwtRule`.
  private func check(_ reader: FieldReader) {
    let context = reader.context
    let hasSource = [issuer, jwksURI].contains { $0?.value.isEmpty == false }
    if !hasSource, issuer != nil || jwksURI != nil || reader.misspelling(of: "issuer") == nil {
      context.error("issuer or jwksUri must be non-empty string", at: (issuer ?? jwksURI)?.location ?? reader.location)
    }
    let lists = [
      (audiences, "audience must be non-empty string"), (fromParams, "location query must be non-empty string"),
      (fromCookies, "cookie name must be non-empty string"),
      (spaceDelimitedClaims, "spaceDelimitedClaims must be non-empty strings"),
    ]
    for (values, message) in lists {
      for value in values where value.value.isEmpty { context.error(message, at: value.location) }
    }
    if spaceDelimitedClaims.count > 64 {
      context.error("spaceDelimitedClaims: at most 64 are allowed", at: reader.keyLocation("spaceDelimitedClaims"))
    }
    if let jwksURI, !jwksURI.value.isEmpty { Self.checkURI(jwksURI, context) }
    guard let jwks, !jwks.value.isEmpty else { return }
    let keys = JSONWebKeys(jwks.value)
    if let problem = keys.problem {
      context.error("jwks parse error: \(problem)", at: jwks.location)
    } else if keys.isPrivate {
      context.warning(
        "jwks holds a private key: whoever reads the resource can issue tokens", at: jwks.location,
        help: "keep n and e of RSA keys, x and y of EC keys, and remove d")
    }
  }

  private static func checkURI(_ uri: Located<String>, _ context: DecodingContext) {
    let scheme = uri.value.firstRange(of: ":").map { String(uri.value[..<$0.lowerBound]) } ?? ""
    guard ["http", "https"].contains(scheme.lowercased()) else {
      return context.error(
        "URI scheme \"\(scheme)\" is not supported", at: uri.location, help: "begin it with https://")
    }
    let rest = uri.value.dropFirst(scheme.count + 1)
    let authority = rest.dropFirst(2).prefix { !"/?#".contains($0) }
    guard rest.hasPrefix("//"), !authority.isEmpty else {
      return context.error("jwksUri has no host", at: uri.location)
    }
    // A port behind the last colon that is not part of an IPv6 address in brackets.
    guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return }
    let port = authority[authority.index(after: colon)...]
    if Int(port).map({ (1...65535).contains($0) }) != true {
      context.error("jwksUri has an invalid port \"\(port)\"", at: uri.location)
    }
  }
}
