/// What became of one rule on the way to the first that matches.
package struct RuleVerdict: Sendable, Equatable {
  /// The first condition that did not hold.
  package struct Failure: Sendable, Equatable {
    /// In the words of VirtualService: `uri`, `headers[x-canary]`, `queryParams[v]`.
    package let condition: String
    /// `prefix "/api"`
    package let wanted: String
    /// `"/status/200"`, or `absent`.
    package let had: String
  }

  /// `http[].name`, with the name of the match behind a dot; `default` without one.
  package let name: String
  /// `httpbin/httpbin-egress`
  package let virtualService: String
  /// `gateways/egress.yaml:31:5`
  package let location: String
  /// The conditions, joined by commas: `uri prefix "/api", method exact "GET"`.
  package let conditions: String
  /// nil: the rule matches.
  package let failure: Failure?
}
