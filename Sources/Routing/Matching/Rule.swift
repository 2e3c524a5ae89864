/// One entry of `http[].match`: where it leads, and what must hold. Trivial; bytes are in `Snapshot.bytes`.
package struct Rule: Sendable {
  /// How the path is matched.
  package enum PathMatch: UInt8, Sendable {
    case any, exact, prefix, regex
  }

  package let path: PathMatch
  package let ignoresCase: Bool
  /// Says `method: {exact: CONNECT}`: only such rules are for CONNECT, as only Envoy's `connect_matcher` is.
  package let acceptsConnect: Bool
  /// The path or prefix in `Snapshot.bytes`.
  package let pathStart: Int32
  package let pathCount: Int32
  /// For `regex`.
  package let regex: Int32
  /// The other conditions in `Snapshot.predicates`; all must hold.
  package let firstPredicate: Int32
  package let predicateCount: Int32
  package let route: Int32
}

extension Snapshot {
  /// How istioctl shows the path condition of a rule: `/x*`, `/x`, `regex …`.
  package func pathText(_ rule: Rule) -> String {
    let text = String(decoding: bytes[Int(rule.pathStart)..<Int(rule.pathStart + rule.pathCount)], as: UTF8.self)
    switch rule.path {
    case .any: return "/*"
    case .exact: return text
    case .prefix: return text + "*"
    case .regex: return "regex \(regexes.sources[Int(rule.regex)])"
    }
  }
}

/// A condition besides the path. Trivial.
package struct Predicate: Sendable {
  /// What is looked at.
  package enum Subject: UInt8, Sendable {
    case scheme, method, authority, header, queryParameter
  }

  /// How it is compared.
  package enum Comparison: UInt8, Sendable {
    case exact, prefix, regex, present
  }

  package let subject: Subject
  package let comparison: Comparison
  /// `withoutHeaders`: must not hold; a missing field counts as empty.
  package let isInverted: Bool
  /// The field or parameter name in `Snapshot.bytes`.
  package let nameStart: Int32
  package let nameCount: Int32
  package let valueStart: Int32
  package let valueCount: Int32
  package let regex: Int32
}

/// Where a request belongs.
package struct RouteMatch: Sendable, Equatable {
  /// -1: no virtual host has this name.
  package var virtualHost: Int32
  /// -1: no rule matches.
  package var route: Int32
  /// The rule in `Snapshot.rules` that decided.
  package var rule: Int32
  /// A regular expression exceeded its limits on the way: nothing may be decided by what was found.
  package var gaveUp = false

  /// Nothing matched.
  package static let none = RouteMatch(virtualHost: -1, route: -1, rule: -1)
}
