/// Reads a ClientHello (RFC 8446, section 4.1.2) out of the first bytes of a connection, strictly: all lengths must agree
/// to the byte, so that whoever terminates the connection later reads the same name.
///
/// Stateless: the bytes are offered from the beginning again when more have come. `needMore` says how many it takes to
/// get further, and an empty record is refused, so bytes that drip in do not buy work.
package enum ClientHelloReader {
  /// The largest hello, record headers included. Post-quantum key shares make about 2 kB; RFC 8446 allows 16 MB.
  package static let maxBytes = 64 * 1024
  /// A hello may be spread over records; more than these is nobody's record layer.
  private static let maxRecords = 64
  private static let recordHeaderBytes = 5
  private static let handshakeHeaderBytes = 4
  private static let maxRecordBytes = 16 * 1024

  /// What the bytes are so far.
  package enum Reading: Equatable, Sendable {
    /// Nothing can be said before this many bytes, counted from the beginning of the connection, are there.
    case needMore(total: Int)
    case refused(ClientHelloRefusal)
    case parsed(ClientHello)
  }

  /// Reads the hello at the beginning of `input`.
  package static func read(_ input: RawSpan) -> Reading {
    let bytes = input.octets
    var position = 0
    var records = 0
    var message: [UInt8] = []
    while true {
      guard bytes.count > position else { return .needMore(total: position + 1) }
      if let refusal = checkRecordStart(bytes, at: position) { return .refused(position == 0 ? refusal : .malformed) }
      // Each may be the one to refuse.
      guard bytes.count > position + 1 else { return .needMore(total: position + 2) }
      guard bytes.count >= position + recordHeaderBytes else { return .needMore(total: position + recordHeaderBytes) }
      let length = Int(bytes[position + 3]) << 8 | Int(bytes[position + 4])
      let start = position + recordHeaderBytes
      records += 1
      // Zero-length fragments of handshake messages are forbidden (RFC 8446, section 5.1).
      guard length > 0, length <= maxRecordBytes else { return .refused(.malformed) }
      guard records <= maxRecords, start + length <= maxBytes else { return .refused(.tooLarge) }
      // A first record that begins with another message need not come whole to be refused.
      if records == 1 {
        guard bytes.count > start else { return .needMore(total: start + 1) }
        guard bytes[start] == 1 else { return .refused(.notClientHello) }
      }
      guard bytes.count >= start + length else { return .needMore(total: start + length) }
      // One record is the rule: it is read where it lies.
      if records == 1, let whole = wholeMessage(input.extracting(start..<start + length)) { return whole }
      let end = start + length
      for index in start..<end { message.append(bytes[index]) }
      if let whole = wholeMessage(message.span.raw) { return whole }
      position = end
    }
  }

  /// Content type handshake, major version 3.
  private static func checkRecordStart(_ bytes: Span<UInt8>, at position: Int) -> ClientHelloRefusal? {
    guard bytes[position] == 22 else { return .notTLS }
    guard bytes.count > position + 1 else { return nil }
    return bytes[position + 1] == 3 ? nil : .notTLS
  }

  /// Reads the message when `bytes` hold all of it; nil when more records are needed.
  private static func wholeMessage(_ bytes: RawSpan) -> Reading? {
    let octets = bytes.octets
    guard octets.count >= 1 else { return nil }
    guard octets[0] == 1 else { return .refused(.notClientHello) }
    guard octets.count >= handshakeHeaderBytes else { return nil }
    let length = Int(octets[1]) << 16 | Int(octets[2]) << 8 | Int(octets[3])
    guard length <= maxBytes - handshakeHeaderBytes else { return .refused(.tooLarge) }
    guard octets.count >= handshakeHeaderBytes + length else { return nil }
    // Nothing may follow before the server has answered.
    guard octets.count == handshakeHeaderBytes + length else { return .refused(.malformed) }
    var cursor = Cursor(bytes.extracting(droppingFirst: handshakeHeaderBytes))
    return readMessage(&cursor)
  }

  private static func readMessage(_ cursor: inout Cursor) -> Reading {
    // legacy_version, random; session id; cipher suites; compression methods.
    guard cursor.skip(2 + 32), let session = cursor.vector8(), session.byteCount <= 32,
      let suites = cursor.vector16(), suites.byteCount >= 2, suites.byteCount % 2 == 0,
      let compression = cursor.vector8(), !compression.isEmpty
    else { return .refused(.malformed) }
    var hello = ClientHello()
    // Before TLS 1.2 a hello might end here.
    if cursor.isAtEnd { return .parsed(hello) }
    guard let block = cursor.vector16(), cursor.isAtEnd else { return .refused(.malformed) }
    var extensions = Cursor(block)
    var hasName = false
    var hasProtocols = false
    while !extensions.isAtEnd {
      guard let type = extensions.number16(), let body = extensions.vector16() else { return .refused(.malformed) }
      switch type {
      case 0:
        guard !hasName, let name = serverName(body) else { return .refused(.malformed) }
        hasName = true
        hello.serverName = name
      case 16:
        guard !hasProtocols, let protocols = protocolList(body) else { return .refused(.malformed) }
        hasProtocols = true
        hello.applicationProtocols = protocols
      default: break
      }
    }
    return .parsed(hello)
  }

  /// One entry of type host_name: RFC 6066 forbids two of a type, and there is no other type.
  private static func serverName(_ body: RawSpan) -> [UInt8]? {
    var cursor = Cursor(body)
    guard let list = cursor.vector16(), cursor.isAtEnd else { return nil }
    var entries = Cursor(list)
    guard entries.number8() == 0, let name = entries.vector16(), entries.isAtEnd else { return nil }
    let octets = name.octets
    guard octets.count > 0, octets.count <= 255 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(octets.count)
    for index in 0..<octets.count {
      guard octets[index] > 0x20, octets[index] < 0x7F else { return nil }
      result.append(Octet.lowercased(octets[index]))
    }
    return result
  }

  private static func protocolList(_ body: RawSpan) -> [UInt8]? {
    var cursor = Cursor(body)
    guard let list = cursor.vector16(), cursor.isAtEnd, !list.isEmpty else { return nil }
    var entries = Cursor(list)
    while !entries.isAtEnd {
      guard let name = entries.vector8(), !name.isEmpty else { return nil }
    }
    var result: [UInt8] = []
    for index in 0..<list.byteCount { result.append(list.octets[index]) }
    return result
  }

  /// Walks over the presentation language of TLS (RFC 8446, section 3): numbers, and vectors with their length in front.
  private struct Cursor: ~Escapable {
    private let bytes: RawSpan
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
      self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.byteCount }

    mutating func skip(_ count: Int) -> Bool {
      guard bytes.byteCount - position >= count else { return false }
      position += count
      return true
    }

    mutating func number8() -> Int? {
      guard position < bytes.byteCount else { return nil }
      position += 1
      return Int(bytes.octets[position - 1])
    }

    mutating func number16() -> Int? {
      guard let high = number8(), let low = number8() else { return nil }
      return high << 8 | low
    }

    @_lifetime(copy self)
    mutating func vector8() -> RawSpan? {
      guard let count = number8() else { return nil }
      return take(count)
    }

    @_lifetime(copy self)
    mutating func vector16() -> RawSpan? {
      guard let count = number16() else { return nil }
      return take(count)
    }

    @_lifetime(copy self)
    private mutating func take(_ count: Int) -> RawSpan? {
      guard bytes.byteCount - position >= count else { return nil }
      position += count
      return bytes.extracting(position - count..<position)
    }
  }
}
