/// What a value of a field may be, as a JSON Schema says it.
package indirect enum FieldSchema: Sendable, Equatable {
  case string
  /// The names of an enumeration.
  case choice([String])
  /// `1.5s`, `500ms`
  case duration
  case integer
  case number
  case boolean
  /// A string, or a number that stands for it.
  case text
  case list(FieldSchema)
  case map(FieldSchema)
  case object([SchemaField])
  case any
}

/// A field of an object.
package struct SchemaField: Sendable, Equatable {
  package let name: String
  package fileprivate(set) var value: FieldSchema
  package fileprivate(set) var isDeprecated = false
  /// Fields of the same object that must not stand beside this one.
  package fileprivate(set) var excludes: [String] = []
}

/// Writes down which fields a decoder asks for, and as what: the schema of a kind is what its decoder reads, so the two
/// cannot drift apart.
final class SchemaRecorder {
  private(set) var fields: [SchemaField] = []

  /// The last word on a type counts: an enumeration is first read as a string.
  func add(_ name: String, _ value: FieldSchema) {
    guard let index = fields.firstIndex(where: { $0.name == name }) else {
      return fields.append(SchemaField(name: name, value: value))
    }
    if value != .any { fields[index].value = value }
  }

  /// Of fields that exclude each other, each is told of those behind it.
  func exclude(_ names: [String]) {
    for (position, name) in names.enumerated() {
      guard let index = fields.firstIndex(where: { $0.name == name }) else { continue }
      let others = names.dropFirst(position + 1).filter { !fields[index].excludes.contains($0) }
      fields[index].excludes += others
    }
  }

  func deprecate(_ name: String) {
    add(name, .any)
    for index in fields.indices where fields[index].name == name { fields[index].isDeprecated = true }
  }
}
