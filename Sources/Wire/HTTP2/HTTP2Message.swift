/// A head or trailers while they come in, field by field. Kept and used again.
final class HTTP2Message {
  var request: RequestHead
  var response: ResponseHead
  /// Name, value and 32 bytes for each field so far (RFC 9113, section 6.5.2).
  var size = 0
  var fieldCount = 0
  var isTooLarge = false
  var cookieCount = 0
  var isHTTPS = false
  /// Trailers, not a head.
  var isTrailers = false
  /// `:protocol` of an extended CONNECT (RFC 8441).
  var upgrade = ByteRange.empty

  init(isServer: Bool) {
    request = RequestHead(byteCapacity: isServer ? 2048 : 0)
    response = ResponseHead(byteCapacity: isServer ? 0 : 2048)
  }

  func reset() {
    request.reset()
    response.reset()
    size = 0
    fieldCount = 0
    isTooLarge = false
    cookieCount = 0
    isHTTPS = false
    isTrailers = false
    upgrade = .empty
  }

  /// Takes one field of a request, pseudo-header fields included. nghttp2 has checked names, values and their order, so the
  /// length and a letter tell one pseudo-header field from the others.
  func addToRequest(_ name: RawSpan, _ value: RawSpan) {
    let octets = name.octets
    guard octets[0] == Octet.colon else {
      let token = HeaderName.resolve(name)
      if token == .cookie { cookieCount += 1 }
      return request.headers.append(token, name: name, value)
    }
    switch octets.count {
    case 5: request.target = request.headers.intern(value)  // :path
    case 7 where octets[1] == 0x6D:  // :method
      request.methodName = request.headers.intern(value)
      request.method = .resolve(value)
    case 7: isHTTPS = value.is("https")  // :scheme
    case 10:  // :authority
      request.headers.append(.host, value)
      request.authority = request.headers.value(of: .host)
    case 9: upgrade = request.headers.intern(value)  // :protocol
    default: break
    }
  }

  /// Takes one field of a response.
  func addToResponse(_ name: RawSpan, _ value: RawSpan) {
    guard name.octets[0] == Octet.colon else { return response.headers.append(name: name, value: value) }
    // `:status` is the only pseudo-header field of a response, and nghttp2 has checked that it is a number.
    let digits = value.octets
    guard digits.count == 3 else { return }
    response.status = 0
    for index in 0..<3 { response.status = response.status * 10 + Int(digits[index] &- 0x30) }
  }

  /// Completes a request head. False when it is not a request that can be forwarded (RFC 9113, section 8.3.1).
  func finishRequest(endsStream: Bool) -> Bool {
    request.version = .http2
    request.isPersistent = true
    guard request.settleAuthority() else { return false }
    if cookieCount > 1 { request.headers.joinCookies() }
    if request.isConnect, upgrade.isEmpty {
      // RFC 9113, section 8.5; nghttp2 has seen to it that there is no path.
      guard Authority.isValidTarget(request.bytes(request.authority)), !request.headers.contains(.contentLength) else {
        return false
      }
      request.target = request.authority
      request.wantsUpgrade = true
    } else {
      guard !request.target.isEmpty else { return false }
      request.splitTarget()
      if request.path.isEmpty { return false }
    }
    if !upgrade.isEmpty {
      guard request.method == .connect, !endsStream else { return false }
      becomeUpgrade()
    }
    request.expectsContinue = request.headers.contains(.expect)
    request.framing = request.wantsUpgrade ? .none : Self.framing(request.headers, endsStream: endsStream)
    return true
  }

  /// An extended CONNECT is what `Upgrade` is in HTTP/1.1, and routed like it (RFC 8441, section 5).
  private func becomeUpgrade() {
    request.method = .get
    request.methodName = request.headers.intern("GET")
    request.wantsUpgrade = true
    request.upgrade = upgrade
    request.isExtendedConnect = true
  }

  /// Completes a response head.
  func finishResponse(endsStream: Bool) {
    response.version = .http2
    response.framing = Self.framing(response.headers, endsStream: endsStream)
  }

  private static func framing(_ headers: borrowing HeaderBlock, endsStream: Bool) -> BodyFraming {
    if endsStream { return .none }
    let index = headers.firstIndex(of: .contentLength)
    guard index >= 0 else { return .chunked }
    var length = 0
    let digits = headers.bytes.extracting(headers.field(at: index).value.range).octets
    // nghttp2 has checked that it is a number, and checks that the body has so many bytes.
    for place in 0..<digits.count { length = length &* 10 &+ Int(digits[place] &- 0x30) }
    return .length(length)
  }
}

extension RequestHead {
  /// `:authority` is what counts; a `Host` beside it must say the same, and stands in where it is missing (RFC 9113,
  /// section 8.3.1).
  fileprivate mutating func settleAuthority() -> Bool {
    let first = headers.firstIndex(of: .host)
    guard first >= 0 else { return false }
    if authority.isEmpty {
      guard first == headers.lastIndex(of: .host) else { return false }
      authority = headers.field(at: first).value
    }
    for index in 0..<headers.tableCount where headers.field(at: index).token == .host {
      let value = headers.field(at: index).value
      if value == authority { continue }
      guard bytes(value).equalsIgnoringCase(bytes(authority)) else { return false }
      headers.remove(at: index)
    }
    return Authority.isValid(bytes(authority))
  }
}
