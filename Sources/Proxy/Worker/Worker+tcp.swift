import Routing
import Transport
import Wire

/// What connections that are not HTTP need of their worker.
extension Worker {
  func tcpConnectionOpened(_ connection: TCPDownstreamConnection) {
    tcpConnections[ObjectIdentifier(connection)] = Ref(connection)
    countOpened()
  }

  func tcpConnectionClosed(_ connection: TCPDownstreamConnection) {
    tcpConnections[ObjectIdentifier(connection)] = nil
    countClosed(connection)
  }

  /// Whether the first bytes of a listener's connections must be looked at before anything is decided.
  func needsFilter(_ listener: Int32) -> Bool {
    guard listener >= 0 else { return false }
    return currentGeneration.with {
      let listener = $0.snapshot.listeners[Int(listener)]
      return listener.needsClientHello || listener.proxyProtocol >= 0
    }
  }

  /// Whether a listener hands bytes on as they are, without TLS.
  func isTCP(_ listener: Int32) -> Bool {
    guard listener >= 0 else { return false }
    return currentGeneration.with { $0.snapshot.listeners[Int(listener)].kind == .tcp }
  }

  /// What a filter has to look at on a listener.
  func filterFacts(_ index: Int32) -> (listener: Listener, policy: ProxyProtocolPolicy?) {
    currentGeneration.with { generation in
      let listener = generation.snapshot.listeners[Int(index)]
      let policy =
        listener.proxyProtocol >= 0 ? generation.snapshot.proxyProtocols[Int(listener.proxyProtocol)] : nil
      return (listener, policy)
    }
  }

  /// The filter chain for a ClientHello; nil when nobody owns its name or speaks its protocols.
  func chain(ofListener listener: Int32, for hello: ClientHello) -> (index: Int32, chain: FilterChain)? {
    currentGeneration.with { generation in
      let index = generation.snapshot.chain(ofListener: listener, serverName: hello.serverName.span.raw)
      guard index >= 0 else { return nil }
      let chain = generation.snapshot.filterChains[Int(index)]
      return chain.requiresIstioProtocol && !hello.offersIstioProtocol ? nil : (index, chain)
    }
  }

  /// Writes the line of a connection that has ended.
  func log(_ record: TCPAccessRecord) {
    guard logFormat != .off else { return }
    let start = clock.now(record.startNanoseconds) / 1_000_000
    let json = logFormat == .json
    accessLog.append(atMost: TCPAccessLogFormatter.bound(record, json: json)) { output in
      json
        ? TCPAccessLogFormatter.writeJSON(record, epochMilliseconds: start, into: &output)
        : TCPAccessLogFormatter.writeText(record, epochMilliseconds: start, into: &output)
    }
  }
}
