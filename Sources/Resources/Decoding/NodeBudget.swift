import Yams

/// Bounds what a document may unfold to. The parser shares an alias with its anchor, so that a few lines can stand for
/// billions of nodes; whoever walks them would never come to an end.
struct NodeBudget {
  /// Deeper than any resource is.
  private static let maxDepth = 100
  private var remaining: Int

  /// - Parameter documentBytes: every node that is written, not aliased, takes a byte of it at least.
  init(documentBytes: Int) {
    remaining = max(documentBytes, 100_000)
  }

  /// Why the document is refused, and where; nil when it is not.
  mutating func problem(with node: Node, depth: Int = 0) -> (message: String, node: Node)? {
    remaining -= 1
    guard remaining >= 0 else { return ("the document's aliases unfold to too many values", node) }
    guard depth < Self.maxDepth else { return ("nested deeper than \(Self.maxDepth) levels", node) }
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping {
        if case .scalar = key {} else if let found = problem(with: key, depth: depth + 1) { return found }
        remaining -= 1
        if let found = problem(with: value, depth: depth + 1) { return found }
      }
    case .sequence(let sequence):
      for item in sequence {
        if let found = problem(with: item, depth: depth + 1) { return found }
      }
    default: break
    }
    return nil
  }
}
