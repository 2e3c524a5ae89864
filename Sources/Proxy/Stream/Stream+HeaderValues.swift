import Routing
import Transport
import Wire

/// Header values with command operators. They are read before anything is edited: `%REQ(:PATH)%` is the path as it was
/// matched.
extension Stream {
  /// Edits the request as the route and the destination say. False as of `Snapshot.applyRewrite`.
  func editRequest(_ snapshot: Snapshot, _ destination: Destination, _ context: MatchContext) -> Bool {
    let operations = [route.requestHeaders, destination.requestHeaders].map { evaluated($0, snapshot) }
    let isRewritten = snapshot.applyRewrite(route, to: &request, context)
    for each in operations { if let each { snapshot.apply(each, to: &request) } }
    return isRewritten
  }

  /// Edits the response as the route and the destination say.
  func editResponse(_ snapshot: Snapshot, _ destination: Destination) {
    let operations = [route.responseHeaders, destination.responseHeaders].map { evaluated($0, snapshot) }
    for each in operations { each?.apply(to: &response.headers) }
  }

  /// Edits a redirect or a direct response as its route says.
  func editAnswer(_ snapshot: Snapshot) {
    evaluated(route.responseHeaders, snapshot)?.apply(to: &response.headers)
  }

  private func evaluated(_ index: Int32, _ snapshot: Snapshot) -> HeaderOperations? {
    guard index >= 0 else { return nil }
    return snapshot.headerOperations[Int(index)].evaluated { value(of: $0, snapshot) }
  }

  private func value(of template: HeaderTemplate, _ snapshot: Snapshot) -> [UInt8] {
    template.pieces.flatMap { piece -> [UInt8] in
      switch piece {
      case .text(let text): return text
      case .value(let name, let limit):
        // A certificate or a server name may hold anything; a field may not.
        let value = value(of: name, snapshot).map { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F ? 0x3F : $0 }
        return limit.map { Array(value.prefix($0)) } ?? value
      }
    }
  }

  private func value(of name: HeaderOperator, _ snapshot: Snapshot) -> [UInt8] {
    switch name {
    case .request(let field, let alternative):
      return requestValue(field) ?? alternative.flatMap(requestValue) ?? []
    case .response(let field, let alternative):
      return response.values(named: field).first ?? alternative.flatMap { response.values(named: $0).first } ?? []
    case .remoteAddress: return Array(source.peer.description.utf8)
    case .remoteAddressWithoutPort: return host(source.peer)
    case .remotePort: return Array("\(source.peer.port)".utf8)
    case .localAddress: return Array(source.local.description.utf8)
    case .localAddressWithoutPort: return host(source.local)
    case .localPort: return Array("\(source.local.port)".utf8)
    case .protocol: return Array(request.version.text.description.utf8)
    case .startTime(let pattern): return startTime(pattern)
    case .responseCode: return Array("\(response.status)".utf8)
    case .responseCodeDetails: return Array(details.description.utf8)
    case .responseFlags: return flagNames
    case .requestDuration: return Array("\(durationMilliseconds)".utf8)
    case .bytesReceived: return Array("\(requestBodyBytes)".utf8)
    case .constant(let value): return value
    case .upstreamAddress, .upstreamAddressWithoutPort, .upstreamPort, .upstreamLocalAddress, .upstreamCluster:
      return upstreamValue(name)
    case .routeName: return routeIndex >= 0 ? snapshot.routeFacts[Int(routeIndex)].nameBytes : []
    case .virtualHostName:
      return virtualHostIndex >= 0 ? Array(snapshot.virtualHostFacts[Int(virtualHostIndex)].name.utf8) : []
    case .serverName, .tlsVersion, .tlsCipher, .peerSubject, .peerIssuer, .peerSerial, .peerFingerprint,
      .peerURISubjectAltName:
      return sessionValue(name)
    }
  }

  private func requestValue(_ field: [UInt8]) -> [UInt8]? {
    switch String(decoding: field, as: UTF8.self) {
    case ":path": return Array(request.text(request.target).utf8)
    case ":method": return Array(request.text(request.methodName).utf8)
    case ":authority": return Array(request.text(request.authority).utf8)
    case ":scheme": return Array((source.isTLS ? "https" : "http").utf8)
    default: return request.values(named: field).first
    }
  }

  private func host(_ address: SocketAddress) -> [UInt8] {
    var text = ByteText()
    text.set { address.writeHost(into: &$0) }
    return text.copy
  }

  private func startTime(_ pattern: [UInt8]) -> [UInt8] {
    let now = worker.with { $0.clock.now(startNanoseconds) }
    return Timestamp.format(pattern.isEmpty ? Array("%FT%T.%3fZ".utf8) : pattern, epochNanoseconds: now)
  }

  private var flagNames: [UInt8] {
    let names = ResponseFlags.names.filter { flags.contains($0.flag) }.map { $0.name.description }
    return Array((names.isEmpty ? "-" : names.joined(separator: ",")).utf8)
  }

  private func upstreamValue(_ name: HeaderOperator) -> [UInt8] {
    if case .upstreamCluster = name { return cluster?.with { $0.nameBytes } ?? [] }
    if case .upstreamLocalAddress = name { return Array((upstreamLocalAddress?.description ?? "").utf8) }
    guard let upstreamAddress else { return [] }
    switch name {
    case .upstreamAddressWithoutPort: return host(upstreamAddress)
    case .upstreamPort: return Array("\(upstreamAddress.port)".utf8)
    default: return Array(upstreamAddress.description.utf8)
    }
  }

  private func sessionValue(_ name: HeaderOperator) -> [UInt8] {
    var text = ""
    downstream.withSession { session in
      guard let session else { return }
      switch name {
      case .serverName:
        text = session.withServerName { unsafe $0.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
      case .tlsVersion: text = session.versionName
      case .tlsCipher: text = session.cipherName
      default: text = session.peerCertificate().map { Self.text(of: name, $0) } ?? ""
      }
    }
    return Array(text.utf8)
  }

  private static func text(of name: HeaderOperator, _ certificate: CertificateFacts) -> String {
    switch name {
    case .peerSubject: return certificate.subject
    case .peerIssuer: return certificate.issuer
    case .peerSerial: return certificate.serial.lowercased()
    case .peerFingerprint: return certificate.fingerprint.lowercased()
    default: return certificate.names.filter { $0.contains("://") }.joined(separator: ",")
    }
  }
}
