extension FieldReader {
  /// A string. A number or boolean that is not quoted is mistyped, as the Kubernetes API would say.
  func string(_ name: String) -> Located<String>? {
    recorder?.add(name, .string)
    return take(name).flatMap { string($0, name) }
  }

  /// The string that an item of a list or map holds.
  func string(_ node: Node, _ name: String) -> Located<String>? {
    guard case .scalar(let scalar) = node else {
      mistyped(name, "a string", node)
      return nil
    }
    let place = context.location(of: node)
    guard !scalar.isText else { return Located(scalar.string, at: place) }
    if scalar.isNull {
      mistyped(name, "a string", node)
      return nil
    }
    if ScalarForm.isNumberOrBoolean(scalar.string) {
      let shown = context.isSecret ? "a number or boolean" : scalar.string
      let quoted = context.isSecret ? "the value" : "\"\(scalar.string)\""
      context.error("\(name): expected a string, found \(shown)", at: place, help: "write \(quoted) in quotes")
      return nil
    }
    return Located(scalar.string, at: place)
  }

  /// A string that a number may stand for, as where Kubernetes takes either.
  func text(_ name: String) -> Located<String>? {
    recorder?.add(name, .text)
    guard let node = take(name) else { return nil }
    guard case .scalar(let scalar) = node else {
      mistyped(name, "a string or a number", node)
      return nil
    }
    return Located(scalar.string, at: context.location(of: node))
  }

  /// An integer of what the APIs' `int32` and `uint32` hold together; proto JSON allows it in quotes.
  func integer(_ name: String) -> Located<Int>? {
    recorder?.add(name, .integer)
    return take(name).flatMap { integer($0, name) }
  }

  /// An integer of a range; outside of it the message is Istio's or Kubernetes' usual one.
  func integer(_ name: String, in range: ClosedRange<Int>) -> Located<Int>? {
    guard let number = integer(name) else { return nil }
    if !range.contains(number.value) {
      context.error(
        range.upperBound == Int.max
          ? "\(name): must be at least \(range.lowerBound), found \(number.value)"
          : "\(name): must be in the range \(range.lowerBound)..\(range.upperBound), found \(number.value)",
        at: number.location)
    }
    return number
  }

  /// The integer that an item of a list or map holds.
  func integer(_ node: Node, _ name: String) -> Located<Int>? {
    guard case .scalar(let scalar) = node, let number = ScalarForm.integer(scalar.string) else {
      mistyped(name, "an integer", node)
      return nil
    }
    guard number >= Int(Int32.min), number <= Int(UInt32.max) else {
      context.error("\(name): \(number) is out of range, it takes 32 bits", at: context.location(of: node))
      return nil
    }
    return Located(number, at: context.location(of: node))
  }

  func double(_ name: String) -> Located<Double>? {
    recorder?.add(name, .number)
    guard let node = take(name) else { return nil }
    guard case .scalar(let scalar) = node, let number = Double(scalar.string), number.isFinite else {
      mistyped(name, "a number", node)
      return nil
    }
    return Located(number, at: context.location(of: node))
  }

  func boolean(_ name: String) -> Located<Bool>? {
    recorder?.add(name, .boolean)
    guard let node = take(name) else { return nil }
    if case .scalar(let scalar) = node, !scalar.isText, let value = ScalarForm.boolean(scalar.string) {
      return Located(value, at: context.location(of: node))
    }
    mistyped(name, "true or false", node)
    return nil
  }

  /// A duration such as `1.5s` or `1h2m`, in milliseconds.
  func duration(_ name: String, minimumMilliseconds: Int = 1) -> Located<Int>? {
    let text = text(name)
    recorder?.add(name, .duration)
    guard let text else { return nil }
    switch ScalarForm.duration(text.value) {
    case .invalid:
      let help = ScalarForm.integer(text.value).map { "write it as \($0)s" } ?? "write it as 1s, 500ms or 1h2m"
      context.error("\(name): invalid duration \"\(text.value)\"", at: text.location, help: help)
    case .tooPrecise:
      context.error("\(name): only durations to ms precision are supported", at: text.location)
    case .milliseconds(let count) where count < minimumMilliseconds:
      context.error("\(name): duration must be greater than 1ms", at: text.location)
    case .milliseconds(let count):
      return Located(count, at: text.location)
    }
    return nil
  }

  /// One of the names of an enumeration, in any case.
  func enumeration<Value: RawRepresentable & CaseIterable>(
    _ name: String, _: Value.Type = Value.self
  ) -> Located<Value>? where Value.RawValue == String {
    let text = string(name)
    recorder?.add(name, .choice(Value.allCases.map(\.rawValue)))
    guard let text else { return nil }
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

  /// Bytes in base64.
  func bytes(_ name: String) -> [UInt8]? {
    guard let text = string(name) else { return nil }
    guard let bytes = Base64.decode(text.value) else {
      context.error("\(name): not base64", at: text.location)
      return nil
    }
    return bytes
  }
}
