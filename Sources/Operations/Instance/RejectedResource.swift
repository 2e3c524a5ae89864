import Resources

/// A resource whose newest version is not in force because of an error.
package struct RejectedResource: Sendable, Hashable {
  /// `VirtualService httpbin/httpbin-egress`; a file, when its text does not say what it is.
  package let name: String
  /// The first error.
  package let message: String
  package let location: SourceLocation?
  /// Its last good version serves; else it is left out.
  package let isKept: Bool

  init(_ name: String, _ error: Diagnostic?, isKept: Bool) {
    self.name = name
    self.isKept = isKept
    message = error?.message ?? "broken"
    location = error?.location
  }

  /// What happened to it, in words for people.
  package var summary: String {
    "\(name) \(isKept ? "keeps its last good version" : "is left out")\(location.map { ", see \($0)" } ?? "")"
  }

  /// The same rejection, wherever in the file it has moved.
  func isSame(as other: Self) -> Bool {
    name == other.name && message == other.message && isKept == other.isKept
  }
}
