/// `http[].delegate`: the VirtualService that goes on with the routing.
package struct HTTPDelegate: Sendable {
  package var name: Located<String>?
  package var namespace: Located<String>?

  init(_ reader: FieldReader) {
    name = reader.string("name")
    namespace = reader.string("namespace")
    reader.require("name", name, "delegate name is required")
  }
}
