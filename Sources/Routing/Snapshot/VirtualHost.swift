/// The rules of one host of a route configuration. Trivial; texts are in `Snapshot.virtualHostFacts`.
package struct VirtualHost: Sendable {
  /// `httpsRedirect` of any server that lists the host.
  package let requiresTLS: Bool
  /// The rules in `Snapshot.rules`, in order.
  package let firstRule: Int32
  package let ruleCount: Int32
  /// The index over the rules, -1 when they are few and scanned.
  package let index: Int32
}

/// What is known of a virtual host besides what requests need.
package struct VirtualHostFacts: Sendable {
  /// Envoy's name: `httpbin.example.com:443`.
  package let name: String
  package let domain: String
  package let routeConfiguration: Int32
  /// The VirtualServices that it was made of: `httpbin/httpbin-egress`.
  package let virtualServices: [String]
}
