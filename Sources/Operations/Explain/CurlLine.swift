import Routing

/// The requests that a pasted curl command makes, without making them.
///
/// What curl adds by itself (`User-Agent`, `Accept`, form types, `Authorization` of `-u`) is added here too, since
/// rules may look at it.
package struct CurlLine {
  private var method: String?
  private var urls: [String] = []
  private var fields: [(name: String, value: String)] = []
  private var removed: Set<String> = []
  private var data: [String] = []
  private var isForm = false
  private var isJSON = false
  private var isHead = false
  private var isUpload = false
  private var sendsDataInQuery = false
  private var keepsPath = false
  private var connectTo: [String] = []
  private var socketPath: String?

  /// Why a line is not understood, in words.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// Reads a command line; the word `curl` may be missing.
  package static func requests(_ line: String) throws(Malformed) -> [SampleRequest] {
    guard let words = ShellWords.split(line) else { throw Malformed(description: "a quote is not closed") }
    var command = CurlLine()
    try command.read(words)
    guard !command.urls.isEmpty else { throw Malformed(description: "the command names no URL") }
    var requests: [SampleRequest] = []
    for url in command.urls { requests.append(try command.request(url)) }
    return requests
  }

  // MARK: Options

  /// Options with a value that says nothing about the request.
  private static let ignoredWithValue: Set<String> = [
    "-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--resolve", "--cacert", "--capath",
    "-E", "--cert", "--key", "--cert-type", "--key-type", "--pass", "--ciphers", "--tls13-ciphers", "--tls-max",
    "--curves", "--retry", "--retry-delay", "--retry-max-time", "-x", "--proxy", "--noproxy", "--interface",
    "--limit-rate", "-D", "--dump-header", "-c", "--cookie-jar", "--max-redirs", "-y", "-Y",
    "--speed-time", "--speed-limit", "--dns-servers", "--local-port", "--keepalive-time", "--trace", "--trace-ascii",
    "--stderr", "-K", "--config", "--pinnedpubkey", "--crlfile", "-C", "--continue-at", "-z", "--time-cond", "--rate",
    "--max-filesize", "--expect100-timeout", "--output-dir", "--aws-sigv4", "--oauth2-bearer-file",
  ]

  /// Short options with a value, which may be attached: `-HHost:x`.
  private static let shortWithValue = Set("oOwmExDcyYKCzHXdFAebuTr").subtracting(["O"])

  private mutating func read(_ words: [String]) throws(Malformed) {
    var rest = words[...]
    if let first = rest.first, first == "curl" || first.hasSuffix("/curl") { rest.removeFirst() }
    while let word = rest.popFirst() {
      if word == "--" {
        urls += rest
        return
      }
      if word.hasPrefix("--") {
        try long(word, &rest)
      } else if word.hasPrefix("-"), word.count > 1 {
        try short(word.dropFirst(), &rest)
      } else {
        urls.append(word)
      }
    }
  }

  private mutating func long(_ word: String, _ rest: inout ArraySlice<String>) throws(Malformed) {
    if Self.ignoredWithValue.contains(word) {
      _ = rest.popFirst()
      return
    }
    guard Self.takesValue(word) else { return flag(word) }
    guard let value = rest.popFirst() else { throw Malformed(description: "\(word) has no value") }
    try option(word, value)
  }

  private mutating func short(_ letters: Substring, _ rest: inout ArraySlice<String>) throws(Malformed) {
    var letters = letters
    while let letter = letters.popFirst() {
      let name = "-\(letter)"
      guard Self.shortWithValue.contains(letter) else {
        flag(name)
        continue
      }
      guard let value = letters.isEmpty ? rest.popFirst() : String(letters) else {
        throw Malformed(description: "\(name) has no value")
      }
      if !Self.ignoredWithValue.contains(name) { try option(name, value) }
      return
    }
  }

  private static func takesValue(_ word: String) -> Bool {
    switch word {
    case "--request", "--header", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json",
      "--form", "--form-string", "--url", "--user-agent", "--referer", "--cookie", "--user", "--upload-file",
      "--connect-to", "--range", "--oauth2-bearer", "--url-query",
      "--unix-socket", "--abstract-unix-socket":
      return true
    default: return false
    }
  }

  private mutating func option(_ name: String, _ value: String) throws(Malformed) {
    switch name {
    case "-X", "--request": method = value
    case "-H", "--header": addHeader(value)
    case "-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode": data.append(value)
    case "--json":
      data.append(value)
      isJSON = true
    case "-F", "--form", "--form-string": isForm = true
    case "--url": urls.append(value)
    case "-A", "--user-agent": addHeader("User-Agent: \(value)")
    case "-e", "--referer": addHeader("Referer: \(value)")
    case "-r", "--range": addHeader("Range: bytes=\(value)")
    case "-b", "--cookie": if value.contains("=") { addHeader("Cookie: \(value)") }
    case "-u", "--user": addHeader("Authorization: Basic \(Self.base64(Array(value.utf8)))")
    case "--oauth2-bearer": addHeader("Authorization: Bearer \(value)")
    case "-T", "--upload-file": isUpload = true
    case "--connect-to": connectTo.append(value)
    case "--unix-socket": socketPath = value
    case "--abstract-unix-socket": socketPath = "@" + value
    default: throw Malformed(description: "\(name) is not understood: write the URL with its query as it is")
    }
  }

  private mutating func flag(_ name: String) {
    switch name {
    case "-I", "--head": isHead = true
    case "-G", "--get": sendsDataInQuery = true
    case "--compressed": addHeader("Accept-Encoding: deflate, gzip, br, zstd")
    case "--path-as-is": keepsPath = true
    default: break
    }
  }

  /// `Name: value`; `Name:` keeps curl's own field away, `Name;` sends an empty one.
  private mutating func addHeader(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else {
      if text.hasSuffix(";") { fields.append((String(text.dropLast()), "")) }
      return
    }
    let name = text[..<colon]
    let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    if value.isEmpty { removed.insert(name.lowercased()) } else { fields.append((String(name), String(value))) }
  }

  // MARK: The request

  private func request(_ url: String) throws(Malformed) -> SampleRequest {
    var request: SampleRequest
    do {
      request = try SampleRequest(url: url)
    } catch {
      throw Malformed(description: error.description)
    }
    let sendsBody = (!data.isEmpty && !sendsDataInQuery) || isForm
    request.method = method ?? (isHead ? "HEAD" : isUpload ? "PUT" : sendsBody ? "POST" : "GET")
    if sendsDataInQuery, !data.isEmpty {
      request.target += (request.target.contains("?") ? "&" : "?") + data.joined(separator: "&")
    }
    if !keepsPath { request.target = PathText.withoutDotSegments(request.target) }
    for field in fields { request.add(field.name, field.value) }
    addUsual("User-Agent", "curl/8.0.0", to: &request)
    addUsual("Accept", isJSON ? "application/json" : "*/*", to: &request)
    if isJSON {
      addUsual("Content-Type", "application/json", to: &request)
    } else if isForm {
      addUsual("Content-Type", "multipart/form-data", to: &request)
    } else if sendsBody {
      addUsual("Content-Type", "application/x-www-form-urlencoded", to: &request)
    }
    if let port = connectedPort(request) { request.port = port }
    request.socketPath = socketPath
    return request
  }

  private func addUsual(_ name: String, _ value: String, to request: inout SampleRequest) {
    let isSaid = fields.contains { $0.name.lowercased() == name.lowercased() }
    if !isSaid, !removed.contains(name.lowercased()) { request.add(name, value) }
  }

  /// `--connect-to HOST1:PORT1:HOST2:PORT2`: the port of the second, where the first is asked for.
  private func connectedPort(_ request: SampleRequest) -> Int? {
    for rule in connectTo {
      // The last part is the port, the host before it may be an IPv6 address.
      let parts = rule.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, let last = parts[2].lastIndex(of: ":") else { continue }
      let host = request.serverName ?? request.authority.split(separator: ":").first.map(String.init) ?? ""
      guard parts[0].isEmpty || parts[0].lowercased() == host, parts[1].isEmpty || Int(parts[1]) == request.port,
        let port = Int(parts[2][parts[2].index(after: last)...])
      else { continue }
      return port
    }
    return nil
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for index in 0..<4 {
        text.append(index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : 0x3D)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// What clients do to paths before they send them.
enum PathText {
  /// Removes `.` and `..` as curl and browsers do (RFC 3986, section 5.2.4).
  static func withoutDotSegments(_ target: String) -> String {
    let end = target.firstIndex(of: "?") ?? target.endIndex
    var segments: [Substring] = []
    let parts = target[..<end].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      switch part {
      case ".", "..":
        if part == "..", !segments.isEmpty { segments.removeLast() }
        if index == parts.count - 1 { segments.append("") }
      default: segments.append(part)
      }
    }
    return "/" + segments.joined(separator: "/") + target[end...]
  }
}
