import Wire

/// A request as a client would send it, or a connection that carries anything: what the verbs that explain and compare
/// ask about.
package struct SampleRequest: Sendable, Hashable {
  /// A header field.
  package struct Field: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package var method = "GET"
  package var isTLS: Bool
  /// The port that is connected to.
  package var port: Int
  /// The unix-domain socket that is connected to instead: a path, or `@` and an abstract name.
  package var socketPath: String?
  /// The server name of the TLS handshake; nil: none is sent.
  package var serverName: String?
  /// What `Host` or `:authority` says.
  package var authority: String
  /// Path and query, beginning with `/`.
  package var target: String
  /// The fields besides `Host`, in order.
  package var fields: [Field] = []
  /// False for a connection of which no more is known than how it begins.
  package var isHTTP = true
  /// The client's address, and the one that it connects to; nil: not known.
  package var source: IPAddress?
  package var address: IPAddress?
  /// The protocols that the client offers in the handshake (ALPN).
  package var protocols: [String] = []

  package init(isTLS: Bool, port: Int, authority: String, target: String) {
    self.isTLS = isTLS
    self.port = port
    self.authority = authority
    self.target = target
    serverName = isTLS ? Self.serverName(of: authority) : nil
  }

  /// Why a URL is not one that can be asked for, in words.
  package struct MalformedURL: Error, CustomStringConvertible {
    package let description: String
  }

  /// The request that a client makes of a URL; without a scheme it is `http`, as in curl. User and fragment are not
  /// sent. `tcp://host:port` and `tls://host:port` are connections.
  package init(url: String) throws(MalformedURL) {
    var rest = Substring(url)
    var scheme = "http"
    if let end = url.firstRange(of: "://") {
      scheme = url[..<end.lowerBound].lowercased()
      rest = url[end.upperBound...]
    }
    guard ["http", "ws", "https", "wss", "tcp", "tls"].contains(scheme) else {
      throw MalformedURL(description: "\"\(scheme)\" is not a scheme of HTTP, nor tcp or tls")
    }
    let isTLS = ["https", "wss", "tls"].contains(scheme)
    let isHTTP = !["tcp", "tls"].contains(scheme)
    if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    var authority = rest[..<end]
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    let (host, port) = Self.split(authority)
    guard !host.isEmpty else { throw MalformedURL(description: "\"\(url)\" names no host") }
    guard let port = port.map({ Int($0) }) ?? (isTLS ? 443 : isHTTP ? 80 : nil), (1...65535).contains(port) else {
      throw MalformedURL(description: "\"\(authority)\" has no port from 1 to 65535")
    }
    let target = rest[end...]
    guard isHTTP || target.isEmpty || target == "/" else {
      throw MalformedURL(description: "a connection has no path: \(target)")
    }
    self.init(
      isTLS: isTLS, port: port, authority: port == (isTLS ? 443 : 80) ? host : "\(host):\(port)",
      target: target.hasPrefix("/") ? String(target) : "/" + target)
    serverName = isTLS ? Self.serverName(of: host) : nil
    address = IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    self.isHTTP = isHTTP
  }

  /// Adds a field; `Host` becomes the authority, wherever it stands.
  package mutating func add(_ name: String, _ value: String) {
    if name.lowercased() == "host" { authority = value } else { fields.append(Field(name, value)) }
  }

  /// Host and port of an authority; the host of an IPv6 address keeps its brackets.
  static func split(_ authority: Substring) -> (host: String, port: String?) {
    guard let colon = authority.lastIndex(of: ":"), authority.last != "]" else { return (String(authority), nil) }
    return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
  }

  /// Names are sent in the handshake, addresses are not (RFC 6066, section 3).
  private static func serverName(of authority: String) -> String? {
    let host = split(authority[...]).host
    let isAddress = host.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." }
    return isAddress || host.isEmpty ? nil : host.lowercased()
  }

  /// The request that a live head is, without the field that asks for the explanation.
  package init(_ head: borrowing RequestHead, isTLS: Bool, port: Int) {
    self.init(isTLS: isTLS, port: port, authority: head.text(head.authority), target: head.text(head.target))
    method = head.text(head.methodName)
    for index in 0..<head.headers.tableCount {
      let field = head.headers.field(at: index)
      guard !field.isRemoved, field.token != .host, field.token != .sallyportExplain else { continue }
      fields.append(Field(head.text(field.name), head.text(field.value)))
    }
  }

  // MARK: As the data plane sees it

  /// Why the data plane would refuse the message.
  package struct Refused: Error {
    package let status: Int
    /// `%RESPONSE_CODE_DETAILS%`
    package let details: String
  }

  /// The head, read by the parser that reads clients' requests.
  func head() throws(Refused) -> RequestHead {
    var text = "\(method) \(isConnect ? connectTarget : target) HTTP/1.1\r\nHost: \(authority)\r\n"
    for field in fields { text += "\(field.name): \(field.value)\r\n" }
    let bytes = Array((text + "\r\n").utf8)
    var parser = HTTP1HeadParser()
    var head = RequestHead()
    switch parser.parseRequest(bytes.span.raw, into: &head, limits: HTTP1Limits()) {
    case .complete: return head
    case .refused(let refusal): throw Refused(status: refusal.status, details: "\(refusal.detail)")
    case .needMore: throw Refused(status: 400, details: "\(HTTP1Refusal.malformedRequestLine.detail)")
    }
  }

  private var isConnect: Bool { method == "CONNECT" }

  /// CONNECT asks for `host:port`.
  private var connectTarget: String {
    Self.split(authority[...]).port == nil ? "\(authority):\(port)" : authority
  }

  // MARK: As a client writes it

  /// The URL, with the port that is connected to.
  package var url: String {
    let host = serverName ?? Self.split(authority[...]).host
    let usual = isTLS ? 443 : 80
    guard isHTTP else { return "\(isTLS ? "tls" : "tcp")://\(host):\(port)" }
    return "\(isTLS ? "https" : "http")://\(host)\(port == usual ? "" : ":\(port)")\(target)"
  }

  /// A line for the shell that makes this request.
  package var curl: String {
    if isConnect { return connectCurl }
    var words = ["curl"] + socketWords
    if method == "HEAD" { words.append("-I") } else if method != "GET" { words += ["-X", method] }
    let host = serverName ?? Self.split(authority[...]).host
    let usual = isTLS ? 443 : 80
    let isImplied = authority == (port == usual ? host : "\(host):\(port)")
    if !isImplied { words += ["-H", Self.quoted("Host: \(authority)")] }
    words += fieldWords("-H")
    return (words + [Self.quoted(url)]).joined(separator: " ")
  }

  /// CONNECT, as curl sends it to a proxy. To a unix-domain socket curl uses none: there it is a request like others.
  private var connectCurl: String {
    let host = serverName ?? Self.split(authority[...]).host
    let gateway = "\(isTLS ? "https" : "http")://\(host):\(port)"
    var words = ["curl"] + socketWords
    guard socketPath == nil else {
      words += ["-X", method, "--request-target", Self.quoted(connectTarget)] + fieldWords("-H")
      return (words + [Self.quoted(gateway + "/")]).joined(separator: " ")
    }
    words += ["-p", "-x", Self.quoted(gateway)] + fieldWords("--proxy-header")
    let scheme = connectTarget.hasSuffix(":443") ? "https" : "http"
    return (words + [Self.quoted("\(scheme)://\(connectTarget)/")]).joined(separator: " ")
  }

  private var socketWords: [String] {
    guard let socketPath else { return [] }
    return socketPath.hasPrefix("@")
      ? ["--abstract-unix-socket", Self.quoted(String(socketPath.dropFirst()))]
      : ["--unix-socket", Self.quoted(socketPath)]
  }

  /// The fields, each behind `option`. Without a value curl needs a semicolon to send the field at all.
  private func fieldWords(_ option: String) -> [String] {
    fields.flatMap { [option, Self.quoted($0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)")] }
  }

  /// A line for the shell that makes this request or connection.
  package var command: String {
    guard !isHTTP else { return curl }
    let host = address.map { "\($0)" } ?? Self.split(authority[...]).host
    // OpenSSL and nc know no abstract names.
    if let socketPath, socketPath.hasPrefix("@") {
      return "socat - \(Self.quoted("ABSTRACT-CONNECT:\(socketPath.dropFirst())"))"
    }
    guard isTLS else { return "nc " + (socketPath.map { "-U \(Self.quoted($0))" } ?? "\(Self.quoted(host)) \(port)") }
    let place = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    var words = ["openssl s_client"]
    words.append(socketPath.map { "-unix \(Self.quoted($0))" } ?? "-connect \(Self.quoted("\(place):\(port)"))")
    words.append(serverName.map { "-servername \(Self.quoted($0))" } ?? "-noservername")
    if !protocols.isEmpty { words.append("-alpn \(Self.quoted(protocols.joined(separator: ",")))") }
    return words.joined(separator: " ")
  }

  private static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-._~/:=%,+@".utf8.contains(byte)
    }
    guard !isPlain || text.isEmpty else { return text }
    var result = "'"
    for character in text { result += character == "'" ? "'\\''" : String(character) }
    return result + "'"
  }
}
