/// Edits of header fields.
package struct Headers: Sendable {
  package struct Operations: Sendable {
    package var set: [String: Located<String>]
    package var add: [String: Located<String>]
    package var remove: [Located<String>]

    /// - Parameter isRequest: a request's authority may be set, by either of its names.
    init(_ reader: FieldReader, isRequest: Bool) {
      set = reader.stringMap("set")
      add = reader.stringMap("add")
      remove = reader.strings("remove")
      let context = reader.context
      for name in reader.keys("set") + reader.keys("add") {
        let isAuthority = [":authority", "host"].contains(name.value.lowercased())
        if !(isRequest && isAuthority) { HeaderRules.checkEdited(name, context) }
      }
      let values = Array(set.values) + Array(add.values)
      for value in values.sorted(by: { $0.location.line < $1.location.line }) {
        HeaderRules.checkValue(value, context)
      }
      for name in remove { HeaderRules.checkEdited(name, context) }
    }
  }

  package var request: Operations?
  package var response: Operations?

  init(_ reader: FieldReader) {
    request = reader.object("request") { Operations($0, isRequest: true) }
    response = reader.object("response") { Operations($0, isRequest: false) }
  }
}
