/// `loadBalancer.consistentHash`: requests that are alike go to the same endpoint.
package struct ConsistentHash: Sendable {
  package struct Cookie: Sendable {
    package var name: Located<String>?
    package var path: Located<String>?
    /// In milliseconds; 0 for a session cookie.
    package var ttl: Located<Int>?
    package var attributes: [(name: Located<String>?, value: Located<String>?)]

    init(_ reader: FieldReader) {
      name = reader.string("name")
      path = reader.string("path")
      ttl = reader.duration("ttl", minimumMilliseconds: 0)
      attributes = reader.objects("attributes") { attribute in
        let name = attribute.string("name")
        attribute.require("name", name, "cookie attribute name cannot be empty")
        return (name, attribute.string("value"))
      }
      for text in [name, path] + attributes.flatMap({ [$0.name, $0.value] }) {
        WireText.checkFieldValue(text, reader.context)
      }
      reader.require("name", name, "name required for HttpCookie")
      var seen: Set<String> = []
      for name in attributes.compactMap(\.name) where !seen.insert(name.value).inserted {
        reader.context.error("duplicate cookie attribute name: \(name.value)", at: name.location)
      }
    }
  }

  package var httpHeaderName: Located<String>?
  package var httpCookie: Cookie?
  package var useSourceIp: Located<Bool>?
  package var httpQueryParameterName: Located<String>?
  package var minimumRingSize: Located<Int>?
  /// Set when the table is Maglev's, and not a ring.
  package var maglevTableSize: Located<Int>?
  package var isMaglev: Bool

  init(_ reader: FieldReader) {
    httpHeaderName = reader.string("httpHeaderName")
    httpCookie = reader.object("httpCookie", Cookie.init)
    useSourceIp = reader.boolean("useSourceIp")
    httpQueryParameterName = reader.string("httpQueryParameterName")
    let sizes = 0...Int.max
    let old = reader.integer("minimumRingSize", in: sizes)
    minimumRingSize = (reader.object("ringHash") { $0.integer("minimumRingSize", in: sizes) } ?? nil) ?? old
    maglevTableSize = reader.object("maglev") { $0.integer("tableSize") } ?? nil
    isMaglev = reader.has("maglev")
    reader.exclusive("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")
    reader.exclusive("ringHash", "maglev")
    for other in ["ringHash", "maglev"] { reader.excludes("minimumRingSize", other) }
    reader.deprecated("minimumRingSize", use: "ringHash.minimumRingSize")
    check(reader, old)
  }

  private func check(_ reader: FieldReader, _ old: Located<Int>?) {
    let context = reader.context
    if let old, isMaglev || reader.has("ringHash") {
      context.error("only one of MinimumRingSize or Maglev/Ringhash can be specified", at: old.location)
    }
    if isMaglev, maglevTableSize == nil {
      context.error("tableSize must be set for maglev", at: reader.keyLocation("maglev"))
    }
    if let size = maglevTableSize {
      if size.value >= 5_000_011 {
        context.error("tableSize must be less than 5000011", at: size.location)
      } else if !Self.isPrime(size.value) {
        context.error("tableSize must be a prime number", at: size.location)
      }
    }
  }

  private static func isPrime(_ number: Int) -> Bool {
    guard number >= 2 else { return false }
    var divisor = 2
    while divisor * divisor <= number {
      if number.isMultiple(of: divisor) { return false }
      divisor += 1
    }
    return true
  }
}
