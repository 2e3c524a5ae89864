import Resources

/// A spec in which the place of a finding is marked: `action: ‹DENY›`.
struct PlacedSpec {
  let yaml: String
  let line: Int
  let column: Int
  let token: String

  /// The API groups of the kinds.
  private static let versions = [
    "AuthorizationPolicy": "security.istio.io/v1", "RequestAuthentication": "security.istio.io/v1",
    "PeerAuthentication": "security.istio.io/v1", "Telemetry": "telemetry.istio.io/v1",
    "WasmPlugin": "extensions.istio.io/v1alpha1", "EnvoyFilter": "networking.istio.io/v1alpha3",
    "ProxyConfig": "networking.istio.io/v1beta1",
  ]

  init(_ kind: String, _ spec: String) {
    let indented = spec.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    let head = "apiVersion: \(Self.versions[kind] ?? "networking.istio.io/v1")\nkind: \(kind)\n"
    let text = head + "metadata: {name: p, namespace: n}\nspec:\n" + indented.joined(separator: "\n")
    var line = 0
    var column = 0
    var token = ""
    for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard let start = text.firstIndex(of: "‹"), let end = text.firstIndex(of: "›") else { continue }
      line = index + 1
      column = text.distance(from: text.startIndex, to: start) + 1
      token = String(text[text.index(after: start)..<end])
    }
    self.line = line
    self.column = column
    self.token = token
    yaml = text.filter { $0 != "‹" && $0 != "›" }
  }
}
