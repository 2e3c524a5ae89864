/// Why a text is not a YAML document, or not one that is read.
enum YAMLError: Error, Equatable {
  /// What was being read when something was found wrong: `while parsing a block mapping`.
  struct Context: Equatable {
    let text: String
    let mark: Mark
  }

  /// Not YAML, in libyaml's words.
  case syntax(problem: String, at: Mark, Context?)
  /// A byte or character that YAML does not allow.
  ///
  /// - Parameter offset: in bytes from the start of the text.
  case character(problem: String, code: UInt32, offset: Int)
  /// A mapping has two equal keys.
  case duplicate(key: String, at: Mark, first: Mark)
  /// Nested deeper than `Composer.maxDepth`.
  case tooDeep(at: Mark)
  /// Aliases stand for more values than are read.
  case tooManyValues(at: Mark)
  case outOfMemory
}
