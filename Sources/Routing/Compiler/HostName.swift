/// Istio's rules for host names in resources.
enum HostName {
  static let clusterDomain = "cluster.local"

  /// A name without a dot belongs to the namespace of the rule that says it.
  static func expand(_ host: String, namespace: String) -> String {
    guard !host.contains("."), host != "*", !host.contains(":"), !host.isEmpty else { return host.lowercased() }
    return "\(host).\(namespace).svc.\(clusterDomain)".lowercased()
  }

  /// What a name with too few of its parts may mean: `web.default`, `web.default.svc`.
  static func completions(of host: String) -> [String] {
    ["\(host).svc.\(clusterDomain)", "\(host).\(clusterDomain)"].filter { isInMesh($0) && host.contains(".") }
  }

  /// Whether `pattern` (exact, `*.suffix` or `*`) covers `host`, which may be a pattern itself.
  static func covers(_ pattern: String, _ host: String) -> Bool {
    if pattern == "*" || pattern == host { return true }
    guard pattern.hasPrefix("*.") else { return false }
    let suffix = pattern.dropFirst()
    return host.hasSuffix(suffix) && host.count > suffix.count
  }

  /// The narrower of two patterns that overlap, nil when they do not.
  static func intersection(_ left: String, _ right: String) -> String? {
    if covers(left, right) { return right }
    return covers(right, left) ? left : nil
  }

  /// Whether the name is one of the mesh's own services.
  static func isInMesh(_ host: String) -> Bool { host.hasSuffix(".svc.\(clusterDomain)") }

  /// More specific first: exact before wildcard, longer before shorter.
  static func isMoreSpecific(_ left: String, _ right: String) -> Bool {
    let leftWild = left.hasPrefix("*")
    let rightWild = right.hasPrefix("*")
    if leftWild != rightWild { return !leftWild }
    return left.count > right.count
  }
}
