/// What clients do to paths before they send them.
enum PathText {
  /// Removes `.` and `..` as curl and browsers do (RFC 3986, section 5.2.4).
  static func withoutDotSegments(_ target: String) -> String {
    let end = target.firstIndex(of: "?") ?? target.endIndex
    var segments: [Substring] = []
    let parts = target[..<end].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      switch part {
      case ".", "..":
        if part == "..", !segments.isEmpty { segments.removeLast() }
        if index == parts.count - 1 { segments.append("") }
      default: segments.append(part)
      }
    }
    return "/" + segments.joined(separator: "/") + target[end...]
  }
}
