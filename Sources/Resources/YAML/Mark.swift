/// A place in a YAML text.
struct Mark: Equatable {
  /// From 1.
  let line: Int
  /// From 1, in characters (Unicode scalars).
  let column: Int
}
