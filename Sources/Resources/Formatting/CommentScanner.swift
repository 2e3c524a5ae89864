/// Finds the comments of a YAML document, which its parser drops: `#` at the start of a line or behind white space,
/// outside of quotes and block scalars.
struct CommentScanner {
  /// A comment, `#` included, and where it stands.
  struct Comment {
    /// From 1.
    let line: Int
    let text: String
    /// Nothing stands before it in its line.
    let isOwnLine: Bool
  }

  private(set) var comments: [Comment] = []
  /// Lines that are empty and not inside a scalar, from 1.
  private(set) var blankLines: Set<Int> = []
  /// The quote that is open at the end of a line.
  private var quote: Character?
  /// The indentation that the lines of a block scalar exceed.
  private var block: Int?

  init(_ document: String) {
    for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      scan(line, number: index + 1)
    }
  }

  private mutating func scan(_ line: Substring, number: Int) {
    let indent = line.prefix { $0 == " " }.count
    let isBlank = line.allSatisfy { $0 == " " || $0 == "\t" || $0 == "\r" }
    if let limit = block {
      if isBlank || indent > limit { return }
      block = nil
    }
    if isBlank {
      if quote == nil { blankLines.insert(number) }
      return
    }
    guard let code = withoutComment(line, number) else { return }
    if quote == nil, let limit = blockScalar(code) { block = limit }
  }

  /// The line before its comment, nil when the comment is all of it.
  private mutating func withoutComment(_ line: Substring, _ number: Int) -> Substring? {
    var previous: Character = " "
    var index = line.startIndex
    while index < line.endIndex {
      let character = line[index]
      if let open = quote {
        if character == "\\", open == "\"" {
          index = line.index(after: index)
          if index < line.endIndex { index = line.index(after: index) }
          continue
        }
        if character == open {
          let following = line.index(after: index)
          if open == "'", following < line.endIndex, line[following] == "'" {
            index = line.index(after: following)
            continue
          }
          quote = nil
        }
      } else if character == "\"" || character == "'", " \t[{,:-?!".contains(previous) {
        quote = character
      } else if character == "#", previous == " " || previous == "\t" {
        let text = line[index...].reversed().drop { " \t\r".contains($0) }.reversed()
        let before = line[..<index]
        let isOwnLine = before.allSatisfy { $0 == " " || $0 == "\t" }
        comments.append(Comment(line: number, text: String(text), isOwnLine: isOwnLine))
        return isOwnLine ? nil : before
      }
      previous = character
      index = line.index(after: index)
    }
    return line
  }

  /// The indentation of the key or dash whose value is a block scalar that begins behind `code`.
  private func blockScalar(_ code: Substring) -> Int? {
    let trimmed = code.reversed().drop { " \t\r".contains($0) }.reversed()
    let text = String(trimmed)
    guard let word = text.split(separator: " ").last, word.first == "|" || word.first == ">",
      word.dropFirst().allSatisfy({ "+-123456789".contains($0) })
    else { return nil }
    var column = 0
    var rest = Substring(text)
    var dash = 0
    while true {
      let spaces = rest.prefix { $0 == " " }.count
      rest = rest.dropFirst(spaces)
      column += spaces
      guard rest.hasPrefix("- ") else { break }
      dash = column
      rest = rest.dropFirst()
      column += 1
    }
    // `- |` belongs to its dash, `key: |` to its key.
    return rest == word ? dash : column
  }
}
