extension FieldReader {
  func strings(_ name: String) -> [Located<String>] {
    recorder?.add(name, .list(.string))
    return items(name) { string($0, $1) }
  }

  func integers(_ name: String) -> [Located<Int>] {
    recorder?.add(name, .list(.integer))
    return items(name) { integer($0, $1) }
  }

  /// A list of objects.
  func objects<Value>(_ name: String, _ decode: (FieldReader) -> Value) -> [Value] {
    if let recorder { recorder.add(name, .list(record(decode))) }
    return items(name) { read($0, $1, decode) }
  }

  /// The items of a list that are null, with their positions and places.
  func nullItems(_ name: String) -> [(index: Int, place: SourceLocation)] {
    guard case .sequence(let sequence)? = take(name) else { return [] }
    return sequence.items.enumerated().compactMap { index, item in
      item.isNull ? (index, context.location(of: item)) : nil
    }
  }

  /// Whether the field is there and is an empty list.
  func isEmptyList(_ name: String) -> Bool {
    if case .sequence(let sequence)? = take(name) { return sequence.items.isEmpty }
    return false
  }

  /// A list of objects whose items must not be null: those are left out, with Istio's words.
  func objects<Value>(_ name: String, null message: String, _ decode: (FieldReader) -> Value) -> [Value] {
    if let recorder { recorder.add(name, .list(record(decode))) }
    return items(name) { node, name in
      if node.isNull {
        context.error(message, at: context.location(of: node))
        return nil
      }
      return read(node, name, decode)
    }
  }

  private func items<Value>(_ name: String, _ decode: (Node, String) -> Value?) -> [Value] {
    guard let node = take(name) else { return [] }
    guard case .sequence(let sequence) = node else {
      mistyped(name, "a list", node)
      return []
    }
    var result: [Value] = []
    result.reserveCapacity(sequence.items.count)
    for (index, item) in sequence.items.enumerated() {
      if let value = decode(item, "\(name)[\(index)]") { result.append(value) }
    }
    return result
  }

  /// A map of strings.
  func stringMap(_ name: String) -> [String: Located<String>] {
    recorder?.add(name, .map(.string))
    var result: [String: Located<String>] = [:]
    for (key, node) in entries(name) {
      if isLenient, node.isNull { continue }
      if let value = string(node, "\(name).\(key.value)") { result[key.value] = value }
    }
    return result
  }

  /// A map of integers.
  func integerMap(_ name: String) -> [String: Located<Int>] {
    recorder?.add(name, .map(.integer))
    var result: [String: Located<Int>] = [:]
    for (key, node) in entries(name) {
      if let value = integer(node, "\(name).\(key.value)") { result[key.value] = value }
    }
    return result
  }

  /// A map of objects, in the order in which they are written. A key without a value is an error.
  ///
  /// - Parameter what: what such a key is, in Istio's message: `header match`.
  func objectMap<Value>(
    _ name: String, null what: String? = nil, _ decode: (FieldReader) -> Value
  ) -> [(key: Located<String>, value: Value)] {
    if let recorder { recorder.add(name, .map(record(decode))) }
    return entries(name).compactMap { key, node in
      if node.isNull {
        let usual = "\(name).\(key.value): expected an object, found nothing"
        context.error(what.map { "\($0) \(key.value) cannot be null" } ?? usual, at: key.location)
        return nil
      }
      return read(node, "\(name).\(key.value)", decode).map { (key, $0) }
    }
  }

  /// The keys of a map, in the order in which they are written.
  func keys(_ name: String) -> [Located<String>] {
    guard case .mapping(let mapping)? = take(name) else { return [] }
    return mapping.pairs.compactMap { key, _ in
      key.scalar.map { Located($0.string, at: context.location(of: key)) }
    }
  }

  private func entries(_ name: String) -> [(Located<String>, Node)] {
    guard let node = take(name) else { return [] }
    guard case .mapping(let mapping) = node else {
      mistyped(name, "a map", node)
      return []
    }
    return mapping.pairs.compactMap { key, value in
      guard case .scalar(let scalar) = key else { return nil }
      return (Located(scalar.string, at: context.location(of: key)), value)
    }
  }

  /// A nested object; unknown fields inside are reported.
  func object<Value>(_ name: String, _ decode: (FieldReader) -> Value) -> Value? {
    if let recorder { recorder.add(name, record(decode)) }
    return take(name).flatMap { read($0, name, decode) }
  }

  /// The schema of an object, from what its decoder asks for.
  private func record<Value>(_ decode: (FieldReader) -> Value) -> FieldSchema {
    let inner = SchemaRecorder()
    _ = decode(FieldReader(recording: inner, context))
    return .object(inner.fields)
  }

  private func read<Value>(_ node: Node, _ name: String, _ decode: (FieldReader) -> Value) -> Value? {
    guard let reader = FieldReader(node, named: name, of: self) else { return nil }
    let value = decode(reader)
    reader.finish()
    return value
  }
}
