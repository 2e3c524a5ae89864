/// A redirect (VirtualService `http[].redirect`). Parts that are nil stay as they are in the request.
package struct Redirect: Sendable, Hashable {
  /// The port of the new location.
  package enum Port: Sendable, Hashable {
    /// As in the request's authority.
    case keep
    case number(Int)
    /// Left out: the scheme's default.
    case protocolDefault
    /// The port that the listener declares.
    case requestPort
  }

  package var status: Int
  package var scheme: String?
  package var authority: [UInt8]?
  package var port: Port
  package var path: [UInt8]?
  /// Replaces the prefix that the rule matched.
  package var prefixRewrite: [UInt8]?
  package var matchedPrefixCount: Int
}

/// An answer from the configuration (VirtualService `http[].directResponse`).
package struct DirectResponse: Sendable, Hashable {
  package var status: Int
  package var body: [UInt8]?
}

/// A rewrite (VirtualService `http[].rewrite`).
package struct Rewrite: Sendable, Hashable {
  package enum Path: Sendable, Hashable {
    case keep
    /// Replaces the first `count` bytes of the path.
    case prefix(count: Int, with: [UInt8])
    /// Replaces the whole path.
    case whole([UInt8])
    /// Replaces every match of the regular expression; `\1` stands for a group.
    case regex(Int32, with: [UInt8])
  }

  package var path: Path
  package var authority: [UInt8]?
}

/// Edits of header fields (VirtualService `headers`), names in lower case.
package struct HeaderOperations: Sendable, Hashable {
  package var set: [Field]
  package var add: [Field]
  package var remove: [[UInt8]]

  package struct Field: Sendable, Hashable {
    package var name: [UInt8]
    package var value: [UInt8]
    /// The value, when it has to be made for each message; `value` is how it is written.
    package var template: HeaderTemplate? = nil
  }

  /// Some value has command operators.
  package var hasOperators: Bool { (set + add).contains { $0.template != nil } }

  /// Some value is that of the authority.
  package var setsAuthority: Bool { (set + add).contains(where: \.isAuthority) }

  /// Leaves the authority as it is.
  mutating func removeAuthority() {
    set.removeAll(where: \.isAuthority)
    add.removeAll(where: \.isAuthority)
  }

  /// The same with the values of one message; a field whose value is empty is left out, as in Envoy.
  package func evaluated(_ evaluate: (HeaderTemplate) -> [UInt8]) -> HeaderOperations {
    func fields(_ fields: [Field]) -> [Field] {
      fields.compactMap { field in
        guard let template = field.template else { return field }
        let value = evaluate(template)
        return value.isEmpty ? nil : Field(name: field.name, value: value)
      }
    }
    return HeaderOperations(set: fields(set), add: fields(add), remove: remove)
  }
}
