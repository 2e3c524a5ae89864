import ArgumentParser
import Transport

/// What the values of flags may be: what cannot be meant is refused, and not bent into something that can.
enum FlagRules {
  /// The most that times may be, in seconds: a century.
  private static let longest = 100.0 * 365 * 86_400

  /// A number within a range.
  ///
  /// - Parameter flag: with its dashes: `--workers`.
  static func check(_ value: Int?, _ flag: String, in range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    let wanted =
      range.upperBound == Int.max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    throw ValidationError("\(flag) \(value): it must be \(wanted)")
  }

  /// The number of a port.
  static func checkPort(_ port: Int?, _ flag: String) throws { try check(port, flag, in: 1...65535) }

  /// A base of the admin ports, of which the last is 90 above it.
  static func checkAdminBase(_ base: Int?) throws { try check(base, "--admin-base", in: 1...65445) }

  /// Seconds as milliseconds; 0 stands for no limit.
  static func milliseconds(_ seconds: Double, _ flag: String) throws -> Int64 {
    guard seconds >= 0, seconds <= longest else {
      throw ValidationError("\(flag) \(seconds): it must be a number of seconds, 0 for no limit")
    }
    // A time that was meant to be short is not none.
    return seconds == 0 ? 0 : max(1, Int64(seconds * 1000))
  }

  /// A name server, `ADDRESS` or `ADDRESS:PORT`, IPv6 addresses in brackets where there is a port.
  static func checkNameServer(_ text: String, _ flag: String) throws {
    if SocketAddress(literal: text, port: 53) != nil { return }
    guard let address = SocketAddress(withPort: text), address.port > 0 else {
      throw ValidationError("\(flag) \(text): write it as ADDRESS or ADDRESS:PORT, with the number of an IP address")
    }
  }

  /// `HOST:PORT`.
  static func checkHostAndPort(_ text: String, _ flag: String) throws {
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else { throw ValidationError("\(flag) \(text): write it as HOST:PORT") }
  }

  /// A word of `RFC 9110`, section 5.6.2: a method, the name of a field.
  static func checkToken(_ text: some StringProtocol, _ flag: String) throws {
    let marks = Set("!#$%&'*+-.^_`|~".utf8)
    let isToken = text.utf8.allSatisfy { byte in
      (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || marks.contains(byte)
    }
    guard isToken, !text.isEmpty else {
      throw ValidationError(
        "\(flag) \"\(text)\": it must be letters, digits and \(String(decoding: marks.sorted(), as: UTF8.self))")
    }
  }
}
