/// A key or a set of keys in JSON (RFC 7517), as far as it can be told whether it is one.
struct JSONWebKeys {
  /// Why it is none; nil when it is one.
  private(set) var problem: String?
  /// Something in it must be known to nobody but the issuer.
  private(set) var isPrivate = false

  /// What each type of key must have (RFC 7518, section 6).
  private static let members = [
    "RSA": ["n", "e"], "EC": ["crv", "x", "y"], "oct": ["k"], "OKP": ["crv", "x"],
  ]

  init(_ text: String) {
    let isObject = text.first { !$0.isWhitespace } == "{"
    guard isObject, case .mapping(let mapping)? = try? Composer.document(text.utf8Span.span) else {
      problem = "not a JSON object"
      return
    }
    guard let keys = mapping["keys"] else {
      check(mapping)
      return
    }
    guard case .sequence(let list) = keys else {
      problem = "\"keys\" is not a list"
      return
    }
    for item in list.items {
      guard case .mapping(let key) = item else {
        problem = "a key is not an object"
        return
      }
      check(key)
      if problem != nil { return }
    }
  }

  private mutating func check(_ key: Node.Mapping) {
    guard let type = key["kty"]?.scalar?.string else {
      problem = "a key has no \"kty\""
      return
    }
    guard let members = Self.members[type] else {
      problem = "unknown key type \"\(type)\""
      return
    }
    if let missing = members.first(where: { key[$0]?.scalar == nil }) {
      problem = "a key of type \(type) has no \"\(missing)\""
    }
    if key["d"] != nil || type == "oct" { isPrivate = true }
  }
}
