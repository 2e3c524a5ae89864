import Yams

/// Reads the fields of one mapping, strictly: what is not asked for by the time of `finish()` is unknown, what has the
/// wrong type is said with its place. camelCase is canonical, snake_case is accepted, as in proto3's JSON form.
final class FieldReader {
  let context: DecodingContext
  let location: SourceLocation
  private var values: [String: (key: Node, value: Node)] = [:]
  private var order: [String] = []
  private var asked: Set<String> = []

  /// Duplicate keys are errors.
  init(_ mapping: Node.Mapping, at location: SourceLocation, _ context: DecodingContext) {
    self.context = context
    self.location = location
    for (key, value) in mapping {
      guard let name = key.string else {
        context.error("field name is not a string", at: context.location(of: key))
        continue
      }
      if values[name] != nil {
        context.error("field \"\(name)\" is given twice", at: context.location(of: key))
        continue
      }
      values[name] = (key, value)
      order.append(name)
    }
  }

  // MARK: Scalars

  /// A string. A number or boolean that is not quoted is mistyped, as the Kubernetes API would say.
  func string(_ name: String) -> Located<String>? {
    guard let node = take(name) else { return nil }
    return string(node, name)
  }

  private func string(_ node: Node, _ name: String) -> Located<String>? {
    guard case .scalar(let scalar) = node else {
      mistyped(name, "a string", node)
      return nil
    }
    let place = context.location(of: node)
    if scalar.style == .plain, ScalarForm.isNumberOrBoolean(scalar.string) {
      context.error(
        "\(name): expected a string, found \(scalar.string)", at: place, help: "write \"\(scalar.string)\" in quotes")
      return nil
    }
    return Located(scalar.string, at: place)
  }

  /// An integer; proto JSON allows it in quotes.
  func integer(_ name: String) -> Located<Int>? {
    guard let node = take(name) else { return nil }
    guard case .scalar(let scalar) = node, let number = ScalarForm.integer(scalar.string) else {
      mistyped(name, "an integer", node)
      return nil
    }
    return Located(number, at: context.location(of: node))
  }

  func double(_ name: String) -> Located<Double>? {
    guard let node = take(name) else { return nil }
    guard case .scalar(let scalar) = node, let number = Double(scalar.string) else {
      mistyped(name, "a number", node)
      return nil
    }
    return Located(number, at: context.location(of: node))
  }

  func boolean(_ name: String) -> Located<Bool>? {
    guard let node = take(name) else { return nil }
    guard case .scalar(let scalar) = node, scalar.string == "true" || scalar.string == "false" else {
      mistyped(name, "true or false", node)
      return nil
    }
    return Located(scalar.string == "true", at: context.location(of: node))
  }

  /// A duration such as `1.5s` or `1h2m`, in milliseconds.
  func duration(_ name: String, minimumMilliseconds: Int = 1) -> Located<Int>? {
    guard let text = string(name) else { return nil }
    guard let milliseconds = ScalarForm.milliseconds(text.value) else {
      context.error(
        "\(name): invalid duration \"\(text.value)\"", at: text.location, help: "write it as 1s, 500ms or 1h2m")
      return nil
    }
    guard milliseconds >= minimumMilliseconds else {
      context.error("\(name): duration must be greater than 1ms", at: text.location)
      return nil
    }
    return Located(milliseconds, at: text.location)
  }

  /// One of the names of an enumeration, in any case.
  func enumeration<Value: RawRepresentable & CaseIterable>(
    _ name: String, _: Value.Type = Value.self
  ) -> Located<Value>? where Value.RawValue == String {
    guard let text = string(name) else { return nil }
    let wanted = text.value.uppercased()
    if let value = Value.allCases.first(where: { $0.rawValue.uppercased() == wanted }) {
      return Located(value, at: text.location)
    }
    let names = Value.allCases.map(\.rawValue)
    context.error(
      "\(name): unknown value \"\(text.value)\"", at: text.location,
      help: Suggestion.help(for: text.value, among: names) ?? "one of \(names.joined(separator: ", "))")
    return nil
  }

  // MARK: Lists and maps

  func strings(_ name: String) -> [Located<String>] {
    guard let node = take(name) else { return [] }
    guard case .sequence(let sequence) = node else {
      mistyped(name, "a list", node)
      return []
    }
    return sequence.enumerated().compactMap { string($1, "\(name)[\($0)]") }
  }

  func integers(_ name: String) -> [Located<Int>] {
    guard let node = take(name) else { return [] }
    guard case .sequence(let sequence) = node else {
      mistyped(name, "a list", node)
      return []
    }
    return sequence.enumerated().compactMap { index, item in
      guard case .scalar(let scalar) = item, let number = ScalarForm.integer(scalar.string) else {
        mistyped("\(name)[\(index)]", "an integer", item)
        return nil
      }
      return Located(number, at: context.location(of: item))
    }
  }

  /// A map of strings.
  func stringMap(_ name: String) -> [String: Located<String>] {
    var result: [String: Located<String>] = [:]
    for (key, node) in entries(name) where result[key.value] == nil {
      if let value = string(node, "\(name).\(key.value)") { result[key.value] = value }
    }
    return result
  }

  /// A map of integers.
  func integerMap(_ name: String) -> [String: Located<Int>] {
    var result: [String: Located<Int>] = [:]
    for (key, node) in entries(name) {
      guard case .scalar(let scalar) = node, let number = ScalarForm.integer(scalar.string) else {
        mistyped("\(name).\(key.value)", "an integer", node)
        continue
      }
      result[key.value] = Located(number, at: context.location(of: node))
    }
    return result
  }

  /// A map of objects.
  func objectMap<Value>(_ name: String, _ decode: (FieldReader) -> Value) -> [(key: Located<String>, value: Value)] {
    entries(name).compactMap { key, node in
      read(node, "\(name).\(key.value)", decode).map { (key, $0) }
    }
  }

  private func entries(_ name: String) -> [(Located<String>, Node)] {
    guard let node = take(name) else { return [] }
    guard case .mapping(let mapping) = node else {
      mistyped(name, "a map", node)
      return []
    }
    return mapping.compactMap { key, value in
      key.string.map { (Located($0, at: context.location(of: key)), value) }
    }
  }

  /// A nested object; unknown fields inside are reported.
  func object<Value>(_ name: String, _ decode: (FieldReader) -> Value) -> Value? {
    take(name).flatMap { read($0, name, decode) }
  }

  /// A list of objects.
  func objects<Value>(_ name: String, _ decode: (FieldReader) -> Value) -> [Value] {
    guard let node = take(name) else { return [] }
    guard case .sequence(let sequence) = node else {
      mistyped(name, "a list", node)
      return []
    }
    return sequence.enumerated().compactMap { read($1, "\(name)[\($0)]", decode) }
  }

  private func read<Value>(_ node: Node, _ name: String, _ decode: (FieldReader) -> Value) -> Value? {
    switch node {
    case .mapping(let mapping):
      let reader = FieldReader(mapping, at: context.location(of: node), context)
      reader.isLenient = isLenient
      let value = decode(reader)
      reader.finish()
      return value
    case .scalar(let scalar) where scalar.style == .plain && ScalarForm.isNull(scalar.string):
      let reader = FieldReader(Node.Mapping([]), at: context.location(of: node), context)
      return decode(reader)
    default:
      mistyped(name, "an object", node)
      return nil
    }
  }

  // MARK: Keys

  /// Kubernetes kinds have large schemas of which we use little: unknown fields there mean nothing.
  var isLenient = false

  /// Whether the field is there, whatever it is; counts as asked for.
  func has(_ name: String) -> Bool { take(name) != nil }

  /// The place of a field's name.
  func keyLocation(_ name: String) -> SourceLocation? {
    (values[name] ?? values[Self.snakeCase(name)]).map { context.location(of: $0.key) }
  }

  /// The node itself, for values without a schema.
  func raw(_ name: String) -> Node? { take(name) }

  /// Fields that are known and mean nothing here.
  func accept(_ names: String...) {
    for name in names { _ = take(name) }
  }

  /// Fields that are known and not acted on: said, never silently ignored.
  func notActedOn(_ names: String...) {
    for name in names where take(name) != nil {
      context.report(
        .warning, "field \"\(name)\" is known but not acted on", at: keyLocation(name), code: "SP1001",
        help: "the gateway behaves as if the field were absent")
    }
  }

  /// Says which fields nobody asked for.
  func finish() {
    guard !isLenient else { return }
    for name in order where !asked.contains(name) {
      guard let entry = values[name] else { continue }
      context.error(
        "unknown field \"\(name)\"", at: context.location(of: entry.key),
        help: Suggestion.help(for: name, among: asked.sorted()))
    }
  }

  /// Says that a required field is missing.
  func require(_ isPresent: Bool, _ message: String) {
    if !isPresent { context.error(message, at: location) }
  }

  private func take(_ name: String) -> Node? {
    asked.insert(name)
    var entry = values[name]
    if entry == nil, let snake = values[Self.snakeCase(name)] {
      asked.insert(Self.snakeCase(name))
      entry = snake
    }
    guard let value = entry?.value else { return nil }
    if case .scalar(let scalar) = value, scalar.style == .plain, ScalarForm.isNull(scalar.string) { return nil }
    return value
  }

  private func mistyped(_ name: String, _ wanted: String, _ node: Node) {
    let found =
      switch node {
      case .scalar(let scalar): "\"\(scalar.string.prefix(40))\""
      case .mapping: "a map"
      case .sequence: "a list"
      default: "an alias"
      }
    context.error("\(name): expected \(wanted), found \(found)", at: context.location(of: node))
  }

  private static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { result, character in
      if character.isUppercase { result += "_" + character.lowercased() } else { result.append(character) }
    }
  }
}
