/// An UpstreamProbe of this instance that asks nothing, because what it names is not there: the health that readiness
/// should follow is not known.
package struct UnmadeProbe: Sendable, Hashable {
  /// `httpbin/httpbin`
  package let name: String
  /// `Referenced host not found: "httpbin.orgg"`
  package let reason: String
  package let gatesReadiness: Bool
}
