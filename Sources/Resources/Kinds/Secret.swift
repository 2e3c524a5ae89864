/// Secret: keys to bytes, whatever its type.
package struct Secret: Sendable {
  package var type: String
  package var data: [String: [UInt8]]

  /// From a secret that was read elsewhere, such as a mounted folder.
  package init(type: String, data: [String: [UInt8]]) {
    self.type = type
    self.data = data
  }

  /// From the document itself: a Secret has no `spec`.
  init(document reader: FieldReader) {
    type = reader.string("type")?.value ?? "Opaque"
    data = [:]
    for (key, value) in reader.stringMap("data") {
      if let bytes = Base64.decode(value.value) {
        data[key] = bytes
      } else {
        reader.context.error("data.\(key): not base64", at: value.location, help: "plain text belongs into stringData")
      }
    }
    // As in Kubernetes, stringData wins.
    for (key, value) in reader.stringMap("stringData") { data[key] = Array(value.value.utf8) }
    reader.accept("immutable")
  }
}
