/// Reads JSON that an instance wrote, for the verbs that show it as text (RFC 8259).
package struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  /// The value of a text, nil when it is not JSON.
  package static func read(_ text: String) -> JSON? {
    var reader = JSONReader(bytes: Array(text.utf8))
    let value = reader.value(depth: 0)
    reader.skipSpace()
    return reader.position == reader.bytes.count ? value : nil
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
  }

  private mutating func value(depth: Int) -> JSON? {
    skipSpace()
    guard depth < 128, position < bytes.count else { return nil }
    switch bytes[position] {
    case 0x7B: return object(depth)
    case 0x5B: return array(depth)
    case 0x22: return string().map { .string($0) }
    case 0x74: return word("true", .bool(true))
    case 0x66: return word("false", .bool(false))
    case 0x6E: return word("null", .null)
    default: return number()
    }
  }

  private mutating func word(_ text: String, _ value: JSON) -> JSON? {
    guard bytes[position...].starts(with: text.utf8) else { return nil }
    position += text.utf8.count
    return value
  }

  private mutating func number() -> JSON? {
    let start = position
    while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int(text) { return .number(integer) }
    return Double(text).map { .decimal($0) }
  }

  private mutating func string() -> String? {
    position += 1
    var result: [UInt8] = []
    while position < bytes.count, bytes[position] != 0x22 {
      guard bytes[position] == 0x5C else {
        result.append(bytes[position])
        position += 1
        continue
      }
      guard position + 1 < bytes.count else { return nil }
      position += 1
      switch bytes[position] {
      case 0x6E: result.append(0x0A)
      case 0x72: result.append(0x0D)
      case 0x74: result.append(0x09)
      case 0x62: result.append(0x08)
      case 0x66: result.append(0x0C)
      case 0x75:
        guard let scalar = escapedScalar() else { return nil }
        result += Array(String(Character(scalar)).utf8)
      default: result.append(bytes[position])
      }
      position += 1
    }
    guard position < bytes.count else { return nil }
    position += 1
    return String(decoding: result, as: UTF8.self)
  }

  /// A scalar after `\u`; two of them when it is not in the basic plane (RFC 8259, section 7). Half of a pair, which
  /// some writers let through, becomes U+FFFD.
  private mutating func escapedScalar() -> Unicode.Scalar? {
    guard let code = codeUnit() else { return nil }
    if let scalar = Unicode.Scalar(code) { return scalar }
    guard code < 0xDC00, position + 2 < bytes.count, bytes[position + 1] == 0x5C, bytes[position + 2] == 0x75 else {
      return "\u{FFFD}"
    }
    let saved = position
    position += 2
    guard let low = codeUnit(), (0xDC00..<0xE000).contains(low) else {
      position = saved
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (code - 0xD800) << 10 + (low - 0xDC00))
  }

  /// Four hexadecimal digits behind the `u` at `position`, which moves to the last of them.
  private mutating func codeUnit() -> UInt32? {
    guard position + 4 < bytes.count else { return nil }
    defer { position += 4 }
    return UInt32(String(decoding: bytes[position + 1...position + 4], as: UTF8.self), radix: 16)
  }

  private mutating func array(_ depth: Int) -> JSON? {
    position += 1
    var items: [JSON] = []
    while true {
      skipSpace()
      guard position < bytes.count else { return nil }
      if bytes[position] == 0x5D {
        position += 1
        return .array(items)
      }
      if bytes[position] == 0x2C { position += 1 }
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
    }
  }

  private mutating func object(_ depth: Int) -> JSON? {
    position += 1
    var fields: [(String, JSON)] = []
    while true {
      skipSpace()
      guard position < bytes.count else { return nil }
      if bytes[position] == 0x7D {
        position += 1
        return .object(fields)
      }
      if bytes[position] == 0x2C { position += 1 }
      skipSpace()
      guard position < bytes.count, bytes[position] == 0x22, let name = string() else { return nil }
      skipSpace()
      guard position < bytes.count, bytes[position] == 0x3A else { return nil }
      position += 1
      guard let item = value(depth: depth + 1) else { return nil }
      fields.append((name, item))
    }
  }
}

extension JSON {
  /// A field of an object.
  package subscript(_ name: String) -> JSON {
    if case .object(let fields) = self { return fields.first { $0.0 == name }?.1 ?? .null }
    return .null
  }

  /// The items of an array.
  package var items: [JSON] { if case .array(let items) = self { items } else { [] } }

  /// The fields of an object.
  package var fields: [(String, JSON)] { if case .object(let fields) = self { fields } else { [] } }

  /// A string, a number or a boolean as text; empty for everything else.
  package var plain: String {
    switch self {
    case .string(let text): return text
    case .number(let number): return "\(number)"
    case .bool(let flag): return flag ? "true" : "false"
    default: return ""
    }
  }
}
