/// A request without its body, whatever version of HTTP it came in.
package struct RequestHead: ~Copyable {
  package var method = HTTPMethod.other
  package var version = HTTPVersion.http11
  /// The method as it was written.
  package var methodName = ByteRange.empty
  /// Path and query as they were written, without scheme, authority and fragment.
  package var target = ByteRange.empty
  /// The path without query and fragment: what routes match.
  package var path = ByteRange.empty
  /// The query without its question mark.
  package var query = ByteRange.empty
  /// Host and port: from an absolute target, else from `Host`.
  package var authority = ByteRange.empty
  package var framing = BodyFraming.none
  /// The client allows the connection to stay open.
  package var isPersistent = true
  package var expectsContinue = false
  /// `Upgrade` with `Connection: upgrade`, except to h2c, which is ignored as RFC 9110, section 7.8 allows; or CONNECT:
  /// if it is granted, bytes pass both ways.
  package var wantsUpgrade = false
  /// The protocol that is asked for with `wantsUpgrade`: `websocket`.
  package var upgrade = ByteRange.empty
  /// The upgrade came as an extended CONNECT (RFC 8441): its answer is 200, not 101.
  package var isExtendedConnect = false
  /// Asks for a tunnel to `authority` (RFC 9110, section 9.3.6), and is not an extended CONNECT.
  package var isConnect: Bool { method == .connect }
  /// `Connection` names fields that must not be forwarded.
  var hasNominatedFields = false
  /// A client that is believed tells the router how to treat the request: `x-envoy-retry-on` and the like.
  package internal(set) var hasRouterFields = false
  package var headers: HeaderBlock

  /// - Parameter byteCapacity: bytes of fields that fit without growing.
  package init(byteCapacity: Int = 2048) {
    headers = HeaderBlock(byteCapacity: byteCapacity, fieldCapacity: byteCapacity / 64)
  }

  /// Forgets everything, keeps the memory.
  package mutating func reset() {
    method = .other
    version = .http11
    methodName = .empty
    target = .empty
    path = .empty
    query = .empty
    authority = .empty
    framing = .none
    isPersistent = true
    expectsContinue = false
    wantsUpgrade = false
    upgrade = .empty
    isExtendedConnect = false
    hasNominatedFields = false
    hasRouterFields = false
    headers.removeAll()
  }

  /// Becomes the same as another head.
  package mutating func copy(from other: borrowing RequestHead) {
    method = other.method
    version = other.version
    methodName = other.methodName
    target = other.target
    path = other.path
    query = other.query
    authority = other.authority
    framing = other.framing
    isPersistent = other.isPersistent
    expectsContinue = other.expectsContinue
    wantsUpgrade = other.wantsUpgrade
    hasNominatedFields = other.hasNominatedFields
    headers.copy(from: other.headers)
  }

  /// The bytes of one of the ranges.
  @inline(__always)
  @_lifetime(borrow self)
  package func bytes(_ range: ByteRange) -> RawSpan {
    headers.bytes.extracting(range.range)
  }

  /// One of the ranges as text, for endpoints that are not in a hurry.
  package func text(_ range: ByteRange) -> String {
    unsafe bytes(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Replaces the path; the query stays.
  package mutating func setPath(_ newPath: RawSpan) {
    path = headers.intern(newPath)
    let start = path.start
    if !query.isEmpty {
      _ = headers.intern("?")
      query = headers.internCopy(query)
    }
    target = ByteRange(offset: start, count: headers.byteCount - start)
  }

  /// Replaces path and query, as a rewrite does.
  package mutating func setTarget(path newPath: RawSpan, query newQuery: RawSpan) {
    let pathRange = headers.intern(newPath)
    path = pathRange
    if newQuery.isEmpty {
      query = .empty
      target = pathRange
    } else {
      _ = headers.intern("?")
      query = headers.intern(newQuery)
      target = ByteRange(offset: pathRange.start, count: query.end - pathRange.start)
    }
  }

  /// Replaces the authority, and `Host` with it.
  package mutating func setAuthority(_ value: RawSpan) {
    headers.set(.host, value)
    authority = headers.value(of: .host)
  }

  /// Splits `target` into path and query; a fragment is cut off, as Envoy does before routing.
  mutating func splitTarget() {
    let (pathEnd, targetEnd) = Self.targetParts(bytes(target).octets)
    let start = target.start
    target = ByteRange(offset: start, count: targetEnd)
    path = ByteRange(offset: start, count: pathEnd)
    query = pathEnd < targetEnd ? ByteRange(offset: start + pathEnd + 1, count: targetEnd - pathEnd - 1) : .empty
  }

  /// Where the path and the whole target end.
  private static func targetParts(_ bytes: Span<UInt8>) -> (pathEnd: Int, targetEnd: Int) {
    let pathEnd = ByteScan.endOfPath(bytes, from: 0)
    var targetEnd = pathEnd
    while targetEnd < bytes.count, bytes[targetEnd] != 0x23 { targetEnd &+= 1 }
    return (pathEnd, targetEnd)
  }
}
