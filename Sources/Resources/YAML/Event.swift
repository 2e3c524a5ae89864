/// What libyaml says of a text, step by step.
struct Event {
  enum Content {
    case scalar(String, Node.Scalar.Style, isText: Bool)
    case alias
    case mapping(isFlow: Bool)
    case sequence
    /// The end of a mapping or a sequence.
    case collectionEnd
    case documentStart, documentEnd, streamStart, streamEnd
  }

  let content: Content
  /// The name that `&` gives to a node, or `*` refers to.
  let anchor: String?
  let mark: Mark
}
