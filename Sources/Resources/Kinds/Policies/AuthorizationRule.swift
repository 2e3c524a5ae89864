/// `rules[]` of an AuthorizationPolicy: a source, an operation and conditions that must hold together. An empty one
/// matches every request.
package struct AuthorizationRule: Sendable {
  package let location: SourceLocation
  package let from: [AuthorizationSource]
  package let to: [AuthorizationOperation]
  package let when: [AuthorizationCondition]

  /// - Parameter index: the rule's position, which Istio's messages name.
  init(_ reader: FieldReader, _ index: Int, _ action: AuthorizationPolicy.Action) {
    location = reader.location
    let context = reader.context
    var sources: [AuthorizationSource?] = []
    if Self.checkItems("from", index, reader) {
      sources = reader.objects("from") { item in
        let source = item.object("source") { AuthorizationSource($0, index, action) }
        if source == nil { Self.reportNil("from.source", index, item) }
        return source
      }
    }
    var operations: [AuthorizationOperation?] = []
    if Self.checkItems("to", index, reader) {
      operations = reader.objects("to") { item in
        let operation = item.object("operation") { AuthorizationOperation($0, index) }
        if operation == nil { Self.reportNil("to.operation", index, item) }
        return operation
      }
    }
    for (_, place) in reader.nullItems("when") { context.error("when field cannot be nil", at: place) }
    when = reader.objects("when") { AuthorizationCondition($0, action) }
    from = sources.compactMap { $0 }
    to = operations.compactMap { $0 }
    let isOfHTTP =
      (!from.isEmpty && to.isEmpty && !from.contains(where: \.isOfTCP))
      || (!to.isEmpty && !to.contains(where: \.isOfTCP))
    if action == .deny, isOfHTTP {
      context.warning(
        "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port",
        at: location, help: "add to.operation.ports")
    }
  }

  /// Says that a list is there and empty, or has empty items. Returns whether its items are to be read.
  private static func checkItems(_ name: String, _ index: Int, _ reader: FieldReader) -> Bool {
    let nulls = reader.nullItems(name)
    for (_, place) in nulls {
      reader.context.error("`\(name)` must not be nil, found at rule \(index)", at: place)
    }
    if reader.isEmptyList(name) {
      reader.context.error(
        "`\(name)` must not be empty, found at rule \(index)", at: reader.keyLocation(name),
        help: "without \(name) the rule does not look at it")
    }
    return nulls.isEmpty
  }

  private static func reportNil(_ field: String, _ index: Int, _ reader: FieldReader) {
    let name = String(field.drop { $0 != "." }.dropFirst())
    // What is there under another name, or as something else, has its own message.
    guard !reader.has(name), reader.misspelling(of: name) == nil else { return }
    reader.context.error("`\(field)` must not be nil, found at rule \(index)", at: reader.location)
  }
}
