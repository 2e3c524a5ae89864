/// Reads the fields of one mapping, strictly: what is not asked for by the time of `finish()` is unknown, what has the
/// wrong type is said with its place. camelCase is canonical, snake_case is accepted, as in proto3's JSON form.
final class FieldReader {
  private struct Field {
    /// camelCase
    let name: String
    let key: Node
    let value: Node
    var isKnown = false
  }

  let context: DecodingContext
  let location: SourceLocation
  /// The field that holds the mapping, as `match`, `headers.x-user`, `allowOrigins[0]`; empty for a document.
  private(set) var name = ""
  /// Kubernetes kinds have large schemas of which we use little: unknown fields there mean nothing.
  var isLenient = false
  /// A list and not a dictionary: mappings are small, and their order is that of the messages.
  private var fields: [Field] = []
  private var asked: [String] = []
  private var isFinished = false
  /// What is read is null, and taken for an empty mapping.
  private var isNull = false
  /// Writes down what is asked for, where a schema is made and nothing is read.
  let recorder: SchemaRecorder?

  /// A field that is given twice is an error; `<<` brings in the fields of another mapping that are not given here.
  init(_ mapping: Node.Mapping, at location: SourceLocation, _ context: DecodingContext) {
    self.context = context
    self.location = location
    recorder = nil
    fields.reserveCapacity(mapping.pairs.count)
    asked.reserveCapacity(16)
    var merged: [Node] = []
    for (key, value) in mapping.pairs {
      guard case .scalar(let scalar) = key else {
        context.error("field name is not a string", at: context.location(of: key))
        continue
      }
      if scalar.string == "<<", !scalar.isText {
        merged.append(value)
        continue
      }
      let name = Self.camelCase(scalar.string)
      // The parser has refused equal keys: only the two spellings of one field are left.
      if name != scalar.string || mapping.pairs.count < 16, fields.contains(where: { $0.name == name }) {
        context.error("field \"\(scalar.string)\" is given twice", at: context.location(of: key))
        continue
      }
      fields.append(Field(name: name, key: key, value: value))
    }
    for node in merged { merge(node) }
  }

  /// A reader of an empty mapping that writes down what it is asked for.
  init(recording recorder: SchemaRecorder, _ context: DecodingContext) {
    self.context = context
    self.recorder = recorder
    location = SourceLocation(file: context.file, line: 1, column: 1)
  }

  /// The fields of a mapping that an `object` or `objects` field holds; null stands for an empty one.
  convenience init?(_ node: Node, named name: String, of parent: FieldReader) {
    switch node {
    case .mapping(let mapping):
      self.init(mapping, at: parent.context.location(of: node), parent.context)
    case .scalar(let scalar) where scalar.isNull:
      self.init(.empty, at: parent.context.location(of: node), parent.context)
      isNull = true
    default:
      parent.mistyped(name, "an object", node)
      return nil
    }
    isLenient = parent.isLenient
    self.name = name
  }

  private func merge(_ node: Node) {
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping.pairs {
        guard case .scalar(let scalar) = key, scalar.string != "<<" else { continue }
        let name = Self.camelCase(scalar.string)
        if !fields.contains(where: { $0.name == name }) { fields.append(Field(name: name, key: key, value: value)) }
      }
    case .sequence(let sequence): for item in sequence.items { merge(item) }
    default: context.error("<<: expected a map", at: context.location(of: node))
    }
  }

  // MARK: Fields

  /// The value of a field, nil when it is absent or null; counts as asked for.
  func take(_ name: String) -> Node? {
    asked.append(name)
    guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
    fields[index].isKnown = true
    let value = fields[index].value
    return value.isNull ? nil : value
  }

  /// Whether the field is there, whatever it is; counts as asked for.
  func has(_ name: String) -> Bool {
    recorder?.add(name, .any)
    return take(name) != nil
  }

  /// Whether something is written here, if only an empty mapping; null stands for nothing.
  var isWritten: Bool { !isNull }

  /// Whether there are fields that nobody has asked for so far.
  var hasUnknownFields: Bool { fields.contains { !$0.isKnown } }

  /// Whether the field is there and is not an empty list.
  func hasItems(_ name: String) -> Bool {
    guard let node = take(name) else { return false }
    if case .sequence(let sequence) = node { return !sequence.items.isEmpty }
    return true
  }

  /// The place of a field's name.
  func keyLocation(_ name: String) -> SourceLocation? {
    fields.first { $0.name == name }.map { context.location(of: $0.key) }
  }

  /// The node itself, for values without a schema.
  func raw(_ name: String) -> Node? {
    recorder?.add(name, .any)
    return take(name)
  }

  /// Fields that are known and mean nothing here.
  func accept(_ names: String...) {
    for name in names {
      recorder?.add(name, .any)
      _ = take(name)
    }
  }

  /// Fields that are known and not acted on: said, never silently ignored.
  func notActedOn(_ names: String...) {
    if let recorder { for name in names { recorder.add(name, .any) } }
    for name in names where take(name) != nil && !context.isInert {
      context.report(
        .warning, "field \"\(name)\" is known but not acted on", at: keyLocation(name), code: "SP1001",
        help: "the gateway behaves as if the field were absent")
    }
  }

  /// Fields that mean nothing to a gateway.
  func notApplicable(_ name: String, why: String) {
    recorder?.add(name, .any)
    guard take(name) != nil else { return }
    context.report(.info, "\(name) does not apply to a gateway: \(why)", at: keyLocation(name), code: "SP1015")
  }

  /// A field that works and has a successor.
  func deprecated(_ name: String, use successor: String) {
    recorder?.deprecate(name)
    guard take(name) != nil else { return }
    context.report(
      .warning, "Deprecated: \(name) is deprecated; use \(successor)", at: keyLocation(name), code: "IST0002")
  }

  /// Says that a required field is missing.
  func require(_ isPresent: Bool, _ message: String, help: String? = nil) {
    if !isPresent { context.error(message, at: location, help: help) }
  }

  /// Says that more than one of several fields is given, which exclude each other.
  func exclusive(_ names: String...) {
    let given = names.filter { has($0) }
    recorder?.exclude(names)
    guard given.count > 1 else { return }
    context.error("only one of \(names.joined(separator: ", ")) can be set", at: keyLocation(given[1]))
  }

  /// Writes down, for the schema, that fields exclude each other: the decoder has words of its own for that. A list that
  /// may be empty beside the others stands behind them.
  func excludes(_ names: String...) { recorder?.exclude(names) }

  /// Says that a required field is missing or empty. What is there and mistyped, or there under a name that is nearly
  /// right, has its own message.
  func require(_ name: String, _ value: Located<String>?, _ message: String) {
    if let value {
      if value.value.isEmpty { context.error(message, at: value.location) }
    } else {
      require(name, message)
    }
  }

  /// Says that a required field is missing.
  func require(_ name: String, _ message: String) {
    guard !has(name), isLenient || misspelling(of: name) == nil else { return }
    context.error(message, at: keyLocation(name) ?? location)
  }

  /// Says that none of several fields is there. One that is there under a name that is nearly right has its own message.
  func require(anyOf names: String..., message: String) {
    guard !names.contains(where: { has($0) }) else { return }
    guard isLenient || !names.contains(where: { misspelling(of: $0) != nil }) else { return }
    context.error(message, at: location)
  }

  /// Says that a list is missing or empty. Items that are there and wrong have their own messages.
  func require(_ name: String, nonEmpty list: some Collection, _ message: String) {
    guard list.isEmpty else { return }
    if case .sequence(let sequence)? = take(name) {
      if sequence.items.isEmpty { context.error(message, at: keyLocation(name)) }
    } else {
      require(name, message)
    }
  }

  /// What may have been meant where `name` is missing: a field that nobody asked for, and is spelled much the same.
  func misspelling(of name: String) -> String? {
    guard hasUnknownFields,
      let found = Suggestion.nearest(to: name, among: fields.lazy.filter { !$0.isKnown }.map(\.name))
    else {
      return nil
    }
    return "\"\(found)\" should be \"\(name)\""
  }

  /// Says which fields nobody asked for.
  ///
  /// - Parameter severity: a warning where our list of known fields may lag behind the schema's owner.
  func finish(unknown severity: Diagnostic.Severity = .error) {
    guard !isLenient, !isFinished else { return }
    isFinished = true
    for field in fields where !field.isKnown {
      let written = field.key.scalar?.string ?? field.name
      // A field that is there already is not what was meant, unless there is nothing else.
      let absent = asked.filter { name in !fields.contains { $0.name == name } }
      let help = Suggestion.help(for: field.name, among: absent) ?? Suggestion.help(for: field.name, among: asked)
      context.report(
        severity, "unknown field \"\(written)\"", at: context.location(of: field.key), help: help ?? knownFields)
    }
  }

  private var knownFields: String? {
    var known: [String] = []
    for name in asked where !known.contains(name) { known.append(name) }
    guard !known.isEmpty, known.count <= 12 else { return nil }
    return "known here: \(known.joined(separator: ", "))"
  }

  func mistyped(_ name: String, _ wanted: String, _ node: Node) {
    let found =
      switch node {
      case .scalar(let scalar) where scalar.isNull: "nothing"
      case .scalar where context.isSecret: "another value"
      case .scalar(let scalar): "\"\(scalar.string.prefix(40))\""
      case .mapping: "a map"
      case .sequence: "a list"
      }
    context.error("\(name): expected \(wanted), found \(found)", at: context.location(of: node))
  }

  /// `credential_name` as `credentialName`; other texts as they are.
  private static func camelCase(_ name: String) -> String {
    guard name.utf8.contains(0x5F), name.utf8.allSatisfy({ $0 == 0x5F || $0 &- 0x61 < 26 || $0 &- 0x30 < 10 }) else {
      return name
    }
    let words = name.split(separator: "_")
    guard let first = words.first else { return name }
    return words.dropFirst().reduce(into: String(first)) { result, word in
      result += word.prefix(1).uppercased() + word.dropFirst()
    }
  }
}
