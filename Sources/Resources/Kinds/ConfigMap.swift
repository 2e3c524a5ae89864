/// ConfigMap, for CA bundles.
package struct ConfigMap: Sendable {
  package var data: [String: String]

  init(document reader: FieldReader) {
    reader.isLenient = true
    data = reader.stringMap("data").mapValues(\.value)
  }
}
