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
  }
}
