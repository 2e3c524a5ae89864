/// What a gateway changes in the fields of messages that it forwards: Istio's settings of Envoy's header manipulation
/// (`use_remote_address`, no trusted proxies).
package struct ForwardingRules {
  /// The client's connection is encrypted.
  package var isTLS: Bool
  /// The client's address is a private one. Its request id is believed, so that it stays the same over a chain of
  /// gateways; so are its `x-envoy-` fields if nobody forwarded the request to it.
  package var isPrivate: Bool
  /// `x-forwarded-client-cert` stays as the client sent it.
  package var keepsClientCertificate = false
  /// The route's timeout in milliseconds, 0 for none.
  package var expectedTimeoutMilliseconds: Int

  package init(isTLS: Bool, isPrivate: Bool, expectedTimeoutMilliseconds: Int) {
    self.isTLS = isTLS
    self.isPrivate = isPrivate
    self.expectedTimeoutMilliseconds = expectedTimeoutMilliseconds
  }
}

extension RequestHead {
  /// Makes the head ready for an upstream: hop-by-hop fields leave, forwarding fields come.
  ///
  /// - Parameters:
  ///   - peer: the client's address, without port; empty when it has none: then nothing is said of it, as in Envoy.
  ///   - requestID: used when the request has no id that is believed.
  package mutating func prepareForUpstream(_ rules: ForwardingRules, peer: RawSpan, requestID: RawSpan) {
    // Envoy's internal requests come from a private address and were forwarded by nobody: behind a balancer everybody's
    // address is private (ConnectionManagerUtility::mutateRequestHeaders).
    let isInternal = rules.isPrivate && !headers.contains(.xForwardedFor)
    removeReplaced(rules, isInternal: isInternal)
    if !peer.isEmpty { appendForwardedFor(peer) }
    headers.append(
      .xForwardedProto, nameCount: 17,
      line: rules.isTLS ? "x-forwarded-proto: https\r\n" : "x-forwarded-proto: http\r\n")
    if !isInternal, !peer.isEmpty { headers.append(.xEnvoyExternalAddress, peer) }
    if !headers.contains(.xRequestID) { headers.append(.xRequestID, requestID) }
    headers.append(.xEnvoyAttemptCount, nameCount: 21, line: "x-envoy-attempt-count: 1\r\n")
    if rules.expectedTimeoutMilliseconds > 0 {
      headers.append(.xEnvoyExpectedTimeout, rules.expectedTimeoutMilliseconds)
    }
  }

  /// Takes the fields that tell a router how to treat the request: they go no further. Only while `hasRouterFields`.
  package mutating func removeRouterFields() {
    hasRouterFields = false
    for index in 0..<headers.tableCount where headers.field(at: index).token.isRouterField { headers.remove(at: index) }
  }

  /// Says how long the answer may take; 0 for as long as it takes.
  package mutating func setExpectedTimeout(_ milliseconds: Int) {
    headers.remove(.xEnvoyExpectedTimeout)
    if milliseconds > 0 { headers.append(.xEnvoyExpectedTimeout, milliseconds) }
  }

  /// Removes in one pass what does not pass a hop, what is not believed and what we say ourselves.
  private mutating func removeReplaced(_ rules: ForwardingRules, isInternal: Bool) {
    if hasNominatedFields { headers.removeNominated() }
    for index in 0..<headers.tableCount {
      switch headers.field(at: index).token {
      case .host, .userAgent, .accept, .contentLength, .contentType, .cookie, .xForwardedFor: break
      case .other: if !isInternal, headers.isOfEnvoy(at: index) { headers.remove(at: index) }
      case .xRequestID: if !rules.isPrivate { headers.remove(at: index) }
      case .xEnvoyExpectedTimeout:
        if !isInternal || rules.expectedTimeoutMilliseconds > 0 { headers.remove(at: index) }
      case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .http2Settings,
        .xForwardedProto, .xEnvoyAttemptCount, .sallyportExplain:
        headers.remove(at: index)
      case .xForwardedClientCert: if !rules.keepsClientCertificate { headers.remove(at: index) }
      case .te: if !headers.isTrailers(at: index) { headers.remove(at: index) }
      case let token:
        guard token.isEnvoyHeader else { break }
        if !isInternal { headers.remove(at: index) } else if token.isRouterField { hasRouterFields = true }
      }
    }
  }

  /// Appends the peer to the list of those that forwarded the request.
  private mutating func appendForwardedFor(_ peer: RawSpan) { append(peer, toListIn: .xForwardedFor) }

  /// Says who the verified client is, behind what the field says already.
  package mutating func appendClientCertificate(_ text: RawSpan) { append(text, toListIn: .xForwardedClientCert) }

  private mutating func append(_ peer: RawSpan, toListIn token: HeaderName) {
    let index = headers.lastIndex(of: token)
    guard index >= 0 else { return headers.append(token, peer) }
    let old = headers.internCopy(headers.field(at: index).value)
    _ = headers.intern(",")
    let added = headers.intern(peer)
    headers.setValue(at: index, ByteRange(offset: old.start, count: added.end - old.start))
  }
}

extension ResponseHead {
  /// Makes the head ready for a client: hop-by-hop fields leave, `server` and `x-envoy-upstream-service-time` are ours.
  ///
  /// - Parameters:
  ///   - date: the date that is added when the upstream sent none (RFC 9110, section 6.6.1).
  ///   - server: the value of `server`.
  ///   - serviceMilliseconds: how long the upstream took to answer.
  package mutating func prepareForDownstream(date: RawSpan, server: StaticString, serviceMilliseconds: Int) {
    if hasNominatedFields { headers.removeNominated() }
    // A body that does not come has no length (RFC 9110, section 8.6): some clients would wait for it.
    let hasNoLength = status == 204
    var hasDate = false
    for index in 0..<headers.tableCount {
      switch headers.field(at: index).token {
      case .date: hasDate = true
      case .connection, .keepAlive, .proxyConnection, .transferEncoding, .server, .xEnvoyUpstreamServiceTime:
        headers.remove(at: index)
      case .upgrade: if status != 101 { headers.remove(at: index) }
      case .contentLength: if hasNoLength { headers.remove(at: index) }
      default: break
      }
    }
    if !hasDate { headers.append(.date, date) }
    headers.append(.xEnvoyUpstreamServiceTime, serviceMilliseconds)
    headers.append(.server, server)
  }

  /// Makes an interim (1xx) head ready for a client: it frames nothing and says nothing about the connection, so that
  /// no client can take it for the head of a message with a body.
  package mutating func prepareInterim() {
    if hasNominatedFields { headers.removeNominated() }
    for index in 0..<headers.tableCount {
      switch headers.field(at: index).token {
      case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .contentLength, .trailer:
        headers.remove(at: index)
      default: break
      }
    }
  }

  /// Turns the answer to an upgrade into the answer to an extended CONNECT (RFC 8441, section 5).
  package mutating func becomeConnectResponse() {
    status = 200
    headers.remove(.upgrade)
    headers.removeAll(named: "sec-websocket-accept")
  }

  /// Becomes the answer to a CONNECT that is granted (RFC 9110, section 9.3.6).
  package mutating func becomeTunnel() {
    reset()
    status = 200
    framing = .untilClose
  }

  /// Removes what would frame a body: behind the head come the bytes of a tunnel.
  package mutating func removeFraming() {
    headers.remove(.contentLength)
    headers.remove(.transferEncoding)
  }

  /// Fills in the fields of an answer that the gateway gives itself.
  ///
  /// - Parameter contentLength: bytes of the text/plain body; 0 for none.
  package mutating func finishLocalReply(contentLength: Int, date: RawSpan, server: StaticString) {
    if status != 204, status != 304, !headers.contains(.grpcStatus) { headers.append(.contentLength, contentLength) }
    if contentLength > 0, !headers.contains(.contentType) { headers.append(.contentType, "text/plain") }
    headers.append(.date, date)
    headers.append(.server, server)
    framing = contentLength > 0 ? .length(contentLength) : .none
  }
}

extension HeaderBlock {
  /// Removes the fields that `Connection` names, never those that frame or route the message or that we rely on.
  mutating func removeNominated() {
    for index in 0..<tableCount where field(at: index).token == .connection && !field(at: index).isRemoved {
      let names = copy(of: field(at: index).value)
      var list = TokenList(names.span.raw)
      while let name = list.next() { removeNominated(name) }
    }
  }

  private mutating func removeNominated(_ name: RawSpan) {
    switch HeaderName.resolve(name) {
    // `Upgrade` is nominated wherever it has a meaning, and treated by itself.
    case .contentLength, .transferEncoding, .host, .te, .xForwardedFor, .xForwardedProto, .xRequestID, .upgrade: return
    default: break
    }
    for index in 0..<tableCount where !field(at: index).isRemoved {
      if bytes.extracting(field(at: index).name.range).equalsIgnoringCase(name) { remove(at: index) }
    }
  }
}
