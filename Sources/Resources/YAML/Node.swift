/// A value of a YAML document, with its place. Aliases are the nodes that they stand for; of tags only `!!str` counts.
enum Node {
  case scalar(Scalar)
  case mapping(Mapping)
  case sequence(Sequence)

  /// Text, as it was meant: without quotes, escapes and indentation.
  struct Scalar {
    /// How it is written.
    enum Style {
      case plain, singleQuoted, doubleQuoted, literal, folded
    }

    let string: String
    let style: Style
    /// Whether it is text whatever it looks like: in quotes, in a block, or tagged so.
    let isText: Bool
    let mark: Mark
  }

  /// Keys and values in the order in which they are written. No two scalar keys are equal.
  struct Mapping {
    let pairs: [(key: Node, value: Node)]
    /// Between braces, as in JSON.
    var isFlow = false
    let mark: Mark

    /// What stands for an object that is not written.
    static var empty: Mapping { Mapping(pairs: [], mark: Mark(line: 1, column: 1)) }
  }

  struct Sequence {
    let items: [Node]
    let mark: Mark
  }

  /// Where it begins.
  var mark: Mark {
    switch self {
    case .scalar(let scalar): scalar.mark
    case .mapping(let mapping): mapping.mark
    case .sequence(let sequence): sequence.mark
    }
  }

  var scalar: Scalar? {
    if case .scalar(let scalar) = self { scalar } else { nil }
  }

  /// Whether nothing is written here, or a word for nothing.
  var isNull: Bool {
    if case .scalar(let scalar) = self { scalar.isNull } else { false }
  }
}

extension Node.Scalar {
  var isNull: Bool { !isText && ScalarForm.isNull(string) }
}

extension Node.Mapping {
  /// The value of a scalar key.
  subscript(key: String) -> Node? {
    pairs.first { $0.key.scalar?.string == key }?.value
  }
}
