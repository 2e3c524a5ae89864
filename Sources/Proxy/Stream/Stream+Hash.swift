import Routing
import Transport
import Wire

/// What makes a request like another one, for clusters with consistent hashing.
extension Stream {
  /// The hash that every attempt of this request is balanced by; nil when it does not have what is hashed.
  func balancingHash(_ policy: HashPolicy) -> UInt64? {
    if let balancingHash { return balancingHash }
    balancingHash = computeHash(policy.key)
    return balancingHash
  }

  private func computeHash(_ key: HashPolicy.Key) -> UInt64? {
    switch key {
    case .header(let name): return hash(ofHeader: name)
    case .queryParameter(let name): return request.queryValue(named: name).map { XXHash64.hash($0) }
    case .sourceIP: return source.peer.hostHash
    case .cookie(let cookie):
      if let value = request.cookie(named: cookie.name) { return XXHash64.hash(value) }
      return cookie.suffix.map { makeCookie(cookie.name, $0) }
    }
  }

  private func hash(ofHeader name: [UInt8]) -> UInt64? {
    let values = request.values(named: name)
    guard var result = values.first.map({ XXHash64.hash($0) }) else { return nil }
    for value in values.dropFirst() { result = XXHash64.hash(value, seed: result) }
    return result
  }

  /// Gives the client a cookie by which it comes back to the same endpoint.
  private func makeCookie(_ name: [UInt8], _ suffix: [UInt8]) -> UInt64 {
    let number = worker.with { $0.random.next() }
    let text = String(number, radix: 16)
    let value = Array((String(repeating: "0", count: 16 - text.utf8.count) + text).utf8)
    newCookie = name + Array("=\"".utf8) + value + Array("\"".utf8) + suffix
    return XXHash64.hash(value)
  }

  /// Tells the client the cookie that was made for it.
  func sendNewCookie() {
    let cookie = newCookie
    response.headers.append(.setCookie, cookie.span.raw)
  }
}

extension SocketAddress {
  /// The hash of the address as text, without port: what `useSourceIp` balances by.
  var hostHash: UInt64 {
    var text = ByteText()
    text.set { writeHost(into: &$0) }
    return XXHash64.hash(text.bytes)
  }
}
