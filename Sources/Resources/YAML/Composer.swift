/// Makes a document's tree from its events.
///
/// Depth and size are bounded. An alias shares the node of its anchor, so that a few lines can stand for billions of
/// values, and whoever walks them would never come to an end: every alias counts as all that it stands for.
struct Composer: ~Copyable, ~Escapable {
  /// Deeper than any resource is.
  static let maxDepth = 100
  /// As many values as a short document may unfold to.
  private static let usualValues = 100_000

  /// A node, and what an alias of it stands for.
  private struct Subtree {
    let node: Node
    /// How many nodes it unfolds to.
    let count: Int
    /// How many levels are below it.
    let height: Int
  }

  private var parser: EventParser
  private var anchors: [String: Subtree] = [:]
  private var remaining: Int

  @_lifetime(copy text)
  private init(_ text: Span<UInt8>) {
    parser = EventParser(text)
    // A node that is written, not aliased, takes a byte at least.
    remaining = max(text.count, Self.usualValues)
  }

  /// The root of the one document of a text, nil when there is none.
  static func document(_ text: Span<UInt8>) throws(YAMLError) -> Node? {
    guard !text.isEmpty else { return nil }
    var composer = Composer(text)
    return try composer.document()
  }

  private mutating func document() throws(YAMLError) -> Node? {
    _ = try parser.next()  // the start of the stream
    guard case .documentStart = try parser.next().content else { return nil }
    let root = try subtree(parser.next(), depth: 0).node
    _ = try parser.next()  // the end of the document
    let next = try parser.next()
    guard case .streamEnd = next.content else {
      let context = YAMLError.Context(
        text: "expected a single document in the stream", mark: Mark(line: 1, column: 1))
      throw .syntax(problem: "but found another document", at: next.mark, context)
    }
    return root
  }

  /// The node that begins with an event, and all below it.
  private mutating func subtree(_ event: Event, depth: Int) throws(YAMLError) -> Subtree {
    if case .alias = event.content { return try alias(event, depth: depth) }
    try take(1, at: event.mark)
    guard depth < Self.maxDepth else { throw .tooDeep(at: event.mark) }
    let subtree =
      switch event.content {
      case .mapping(let isFlow): try mapping(isFlow: isFlow, event.mark, depth: depth)
      case .sequence: try sequence(event.mark, depth: depth)
      case .scalar(let string, let style, let isText):
        Subtree(
          node: .scalar(Node.Scalar(string: string, style: style, isText: isText, mark: event.mark)), count: 1,
          height: 0)
      default: preconditionFailure("libyaml's events do not nest")
      }
    // Within itself an anchor is not known yet; a later one of the same name takes its place.
    if let name = event.anchor { anchors[name] = subtree }
    return subtree
  }

  private mutating func mapping(isFlow: Bool, _ mark: Mark, depth: Int) throws(YAMLError) -> Subtree {
    var pairs: [(key: Node, value: Node)] = []
    var count = 1
    var height = 0
    while true {
      let event = try parser.next()
      if case .collectionEnd = event.content { break }
      let key = try subtree(event, depth: depth + 1)
      let value = try subtree(parser.next(), depth: depth + 1)
      pairs.append((key.node, value.node))
      count += key.count + value.count
      height = max(height, key.height + 1, value.height + 1)
    }
    try UniqueKeys.check(pairs)
    return Subtree(
      node: .mapping(Node.Mapping(pairs: pairs, isFlow: isFlow, mark: mark)), count: count, height: height)
  }

  private mutating func sequence(_ mark: Mark, depth: Int) throws(YAMLError) -> Subtree {
    var items: [Node] = []
    var count = 1
    var height = 0
    while true {
      let event = try parser.next()
      if case .collectionEnd = event.content { break }
      let item = try subtree(event, depth: depth + 1)
      items.append(item.node)
      count += item.count
      height = max(height, item.height + 1)
    }
    return Subtree(node: .sequence(Node.Sequence(items: items, mark: mark)), count: count, height: height)
  }

  private mutating func alias(_ event: Event, depth: Int) throws(YAMLError) -> Subtree {
    guard let subtree = event.anchor.flatMap({ anchors[$0] }) else {
      throw .syntax(problem: "found undefined alias", at: event.mark, nil)
    }
    try take(subtree.count, at: event.mark)
    guard depth + subtree.height < Self.maxDepth else { throw .tooDeep(at: event.mark) }
    return subtree
  }

  private mutating func take(_ count: Int, at mark: Mark) throws(YAMLError) {
    remaining -= count
    guard remaining >= 0 else { throw .tooManyValues(at: mark) }
  }
}
