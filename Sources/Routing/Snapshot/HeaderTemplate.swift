/// A header value with Envoy's command operators, `%REQ(x-user)%-%PROTOCOL%`, taken apart when it is loaded.
package struct HeaderTemplate: Sendable, Hashable {
  package enum Piece: Sendable, Hashable {
    case text([UInt8])
    /// `limit`: so many bytes at most.
    case value(HeaderOperator, limit: Int?)
  }

  package let pieces: [Piece]

  /// What stands between percent signs and is not an operator.
  struct Unknown: Error {
    let name: String
  }

  /// Takes a value apart: nil when it is plain text, which then has its percent signs once; else the text as it is
  /// written, for those who show it.
  static func parse(_ text: String) throws(Unknown) -> (template: HeaderTemplate?, plain: [UInt8]) {
    var pieces: [Piece] = []
    var plain: [UInt8] = []
    let bytes = Array(text.utf8)
    var position = 0
    while position < bytes.count {
      guard bytes[position] == 0x25 else {
        plain.append(bytes[position])
        position += 1
        continue
      }
      if position + 1 < bytes.count, bytes[position + 1] == 0x25 {
        plain.append(0x25)
        position += 2
        continue
      }
      let end = Self.end(of: bytes, from: position + 1)
      let command = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
      if !plain.isEmpty { pieces.append(.text(plain)) }
      plain = []
      pieces.append(try piece(command))
      position = end + 1
    }
    guard !pieces.isEmpty else { return (nil, plain) }
    if !plain.isEmpty { pieces.append(.text(plain)) }
    return (HeaderTemplate(pieces: pieces), bytes)
  }

  /// The percent sign that ends a command; those in parentheses belong to its argument.
  private static func end(of bytes: [UInt8], from start: Int) -> Int {
    var isInside = false
    for index in start..<bytes.count {
      switch bytes[index] {
      case 0x28: isInside = true
      case 0x29: isInside = false
      case 0x25 where !isInside: return index
      default: break
      }
    }
    return bytes.count
  }

  /// `NAME`, `NAME(argument)`, `NAME(argument):limit`.
  private static func piece(_ command: String) throws(Unknown) -> Piece {
    var name = command
    var argument: String?
    var limit: Int?
    if let open = command.firstIndex(of: "("), let close = command.lastIndex(of: ")"), open < close {
      name = String(command[..<open])
      argument = String(command[command.index(after: open)..<close])
      let rest = command[command.index(after: close)...]
      if rest.hasPrefix(":") { limit = Int(rest.dropFirst()) }
      guard rest.isEmpty || limit != nil else { throw Unknown(name: command) }
    }
    guard let known = HeaderOperator(name, argument) else { throw Unknown(name: command) }
    return .value(known, limit: limit)
  }
}

/// Envoy's command operators, as far as headers of a gateway need them.
package enum HeaderOperator: Sendable, Hashable {
  /// A request field, its name in lower case, or another one when it is missing.
  case request([UInt8], alternative: [UInt8]?)
  case response([UInt8], alternative: [UInt8]?)
  case remoteAddress, remoteAddressWithoutPort, remotePort
  case localAddress, localAddressWithoutPort, localPort
  case `protocol`
  /// The pattern is that of `strftime` with `%f` and `%3f` for fractions; empty for ISO 8601 in milliseconds.
  case startTime([UInt8])
  case responseCode, responseCodeDetails, responseFlags
  case serverName
  case tlsVersion, tlsCipher, peerSubject, peerIssuer, peerSerial, peerFingerprint, peerURISubjectAltName
  case upstreamAddress, upstreamAddressWithoutPort, upstreamPort, upstreamLocalAddress, upstreamCluster
  case routeName, virtualHostName
  case requestDuration, bytesReceived
  /// Known when the configuration is loaded: the host's name, a variable of the environment.
  case constant([UInt8])

  private static let plain: [String: HeaderOperator] = [
    "DOWNSTREAM_REMOTE_ADDRESS": .remoteAddress, "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": .remoteAddress,
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": .remoteAddressWithoutPort,
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": .remoteAddressWithoutPort,
    "DOWNSTREAM_REMOTE_PORT": .remotePort, "DOWNSTREAM_DIRECT_REMOTE_PORT": .remotePort,
    "DOWNSTREAM_LOCAL_ADDRESS": .localAddress, "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": .localAddressWithoutPort,
    "DOWNSTREAM_LOCAL_PORT": .localPort, "PROTOCOL": .protocol, "RESPONSE_CODE": .responseCode,
    "RESPONSE_CODE_DETAILS": .responseCodeDetails, "RESPONSE_FLAGS": .responseFlags,
    "REQUESTED_SERVER_NAME": .serverName, "DOWNSTREAM_TLS_VERSION": .tlsVersion, "DOWNSTREAM_TLS_CIPHER": .tlsCipher,
    "DOWNSTREAM_PEER_SUBJECT": .peerSubject, "DOWNSTREAM_PEER_ISSUER": .peerIssuer,
    "DOWNSTREAM_PEER_SERIAL": .peerSerial, "DOWNSTREAM_PEER_FINGERPRINT_256": .peerFingerprint,
    "DOWNSTREAM_PEER_URI_SAN": .peerURISubjectAltName, "UPSTREAM_HOST": .upstreamAddress,
    "UPSTREAM_REMOTE_ADDRESS": .upstreamAddress, "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": .upstreamAddressWithoutPort,
    "UPSTREAM_REMOTE_PORT": .upstreamPort, "UPSTREAM_LOCAL_ADDRESS": .upstreamLocalAddress,
    "UPSTREAM_CLUSTER": .upstreamCluster, "UPSTREAM_CLUSTER_RAW": .upstreamCluster, "ROUTE_NAME": .routeName,
    "VIRTUAL_CLUSTER_NAME": .constant([]), "REQUEST_DURATION": .requestDuration, "BYTES_RECEIVED": .bytesReceived,
    "STREAM_ID": .request(Array("x-request-id".utf8), alternative: nil),
    "VIRTUAL_HOST_NAME": .virtualHostName,
  ]

  /// Nil for names that are not known.
  init?(_ name: String, _ argument: String?) {
    switch (name, argument) {
    case ("REQ", let argument?): self = Self.field(argument, HeaderOperator.request)
    case ("RESP", let argument?): self = Self.field(argument, HeaderOperator.response)
    case ("START_TIME", let argument): self = .startTime(Array((argument ?? "").utf8))
    case ("HOSTNAME", nil): self = .constant(Array(Environment.hostName.utf8))
    case ("ENVIRONMENT", let argument?): self = .constant(Array((Environment.value(of: argument) ?? "").utf8))
    case (let name, nil):
      guard let known = Self.plain[name] else { return nil }
      self = known
    default: return nil
    }
  }

  /// `X?Y`: Y when X is missing.
  private static func field(
    _ argument: String, _ make: ([UInt8], [UInt8]?) -> HeaderOperator
  ) -> HeaderOperator {
    let names = argument.lowercased().split(separator: "?", maxSplits: 1).map { Array($0.utf8) }
    return make(names.first ?? [], names.count > 1 ? names[1] : nil)
  }
}
