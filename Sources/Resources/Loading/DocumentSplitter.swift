/// Cuts a file into its YAML documents, so that a syntax error in one does not hide the others. Marks and comments are
/// left to the parser; a block scalar cannot hold a `---` at the start of a line.
struct DocumentSplitter {
  /// A document and the number of the file's lines before it.
  struct Document {
    let firstLine: Int
    let bytes: ArraySlice<UInt8>
  }

  private let bytes: [UInt8]
  private let keepsComments: Bool
  private(set) var documents: [Document] = []

  /// - Parameter keepsComments: documents with nothing but comments count.
  init(_ bytes: [UInt8], keepsComments: Bool = false) {
    self.bytes = bytes
    self.keepsComments = keepsComments
    split()
  }

  private mutating func split() {
    // A byte order mark is not part of the first line.
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var documentStart = start
    var documentLine = 0
    var line = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      if isMarker(start, end, 0x2D) {
        append(documentStart..<start, documentLine)
        // What follows the marker on its line belongs to the new document.
        let hasContent = bytes[(start + 3)..<end].contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
        documentStart = hasContent ? start : min(end + 1, bytes.count)
        documentLine = hasContent ? line : line + 1
      } else if isMarker(start, end, 0x2E) {
        append(documentStart..<start, documentLine)
        documentStart = min(end + 1, bytes.count)
        documentLine = line + 1
      }
      start = end + 1
      line += 1
    }
    append(documentStart..<bytes.count, documentLine)
  }

  /// Whether a line begins with three of `byte`, and nothing or a space after them.
  private func isMarker(_ start: Int, _ end: Int, _ byte: UInt8) -> Bool {
    guard end - start >= 3, bytes[start] == byte, bytes[start + 1] == byte, bytes[start + 2] == byte else {
      return false
    }
    return end - start == 3 || [0x20, 0x09, 0x0D].contains(bytes[start + 3])
  }

  private mutating func append(_ range: Range<Int>, _ line: Int) {
    var rest = bytes[range]
    while !rest.isEmpty {
      let text = rest.prefix { $0 != 0x0A }
      let first = text.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
      let isBlank = first == nil || first == 0x23 && !keepsComments || text.first == 0x25
      if !isBlank { return documents.append(Document(firstLine: line, bytes: bytes[range])) }
      rest = rest.dropFirst(text.count + 1)
    }
  }
}
