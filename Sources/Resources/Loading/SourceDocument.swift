/// The text of a document, and what it gave. Kept for what is in force, so that a resource whose next version is broken
/// can be read again as it was: text is a small part of what decoded resources take.
package struct SourceDocument: Sendable {
  package let file: String
  /// How many lines of the file stand before the document.
  package let firstLine: Int
  let text: ArraySlice<UInt8>
  /// The resources that count: `VirtualService httpbin/httpbin-egress`.
  package private(set) var resources: [String]
  /// The resources that were left out because of errors.
  package let broken: [String]
  /// Something in it is broken and does not say which resource it is: no YAML, no kind, no name.
  package let isUnidentified: Bool

  init(
    file: String, firstLine: Int, text: ArraySlice<UInt8>, resources: [String] = [], broken: [String] = [],
    isUnidentified: Bool = false
  ) {
    self.file = file
    self.firstLine = firstLine
    self.text = text
    self.resources = resources
    self.broken = broken
    self.isUnidentified = isUnidentified
  }

  /// The same with only some of its resources.
  func only(_ isIncluded: (String) -> Bool) -> SourceDocument {
    var document = self
    document.resources.removeAll { !isIncluded($0) }
    return document
  }

  /// Whether the text is the same, wherever it stands.
  func hasText(of other: SourceDocument) -> Bool { text.elementsEqual(other.text) }
}
