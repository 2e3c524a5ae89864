extension HeaderBlock {
  /// The values of all fields of this name (in lower case), in their order.
  package func values(named name: [UInt8]) -> [[UInt8]] {
    var values: [[UInt8]] = []
    var index = index(named: name.span.raw)
    while index >= 0 {
      values.append(copy(of: field(at: index).value))
      index = self.index(named: name.span.raw, from: index + 1)
    }
    return values
  }
}

extension ResponseHead {
  /// The values of all fields of this name (in lower case), in their order.
  package func values(named name: [UInt8]) -> [[UInt8]] { headers.values(named: name) }
}

extension RequestHead {
  /// The values of all fields of this name (in lower case), in their order.
  package func values(named name: [UInt8]) -> [[UInt8]] { headers.values(named: name) }

  /// The value of the first query parameter of this name; nothing is decoded.
  package func queryValue(named name: [UInt8]) -> [UInt8]? {
    for pair in headers.copy(of: query).split(separator: 0x26) {  // &
      let parts = pair.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0].elementsEqual(name) { return parts.count > 1 ? Array(parts[1]) : [] }
    }
    return nil
  }

  /// The value of a cookie, without the quotes around it (RFC 6265, section 4.2.1).
  package func cookie(named name: [UInt8]) -> [UInt8]? {
    for line in values(named: Array("cookie".utf8)) {
      for pair in line.split(separator: 0x3B) {  // ;
        let parts = pair.drop { $0 == 0x20 }.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].elementsEqual(name) else { continue }
        let value = parts[1]
        let isQuoted = value.count >= 2 && value.first == 0x22 && value.last == 0x22
        return isQuoted ? Array(value.dropFirst().dropLast()) : Array(value)
      }
    }
    return nil
  }
}
