import Routing
import Wire

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
  private var takesBrackets = true
  private var connectTo: [String] = []
  private var socketPath: String?
  private var resolved: [String] = []
  private var queries: [String] = []
  private var target: String?
  private var source: String?
  private var uploaded = ""
  private var proxy = CurlProxy()

  /// Why a line is not understood, in words.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// Reads a command line; the word `curl` may be missing. Of several commands those that are curl's count.
  package static func requests(_ line: String) throws(Malformed) -> [SampleRequest] {
    guard let commands = ShellWords.commands(line) else { throw Malformed(description: "a quote is not closed") }
    let named = commands.compactMap(Self.arguments)
    let chosen = named.isEmpty ? Array(commands.prefix(1)) : named
    if named.isEmpty, let first = chosen.first?.first, !Self.beginsLikeArguments(first) {
      throw Malformed(description: "\(first) is not curl")
    }
    var requests: [SampleRequest] = []
    for words in chosen {
      for part in words.split(whereSeparator: { $0 == "--next" || $0 == "-:" }) {
        var command = CurlLine()
        try command.read(Array(part))
        if let variable = command.urls.lazy.compactMap(Self.variable).first {
          throw Malformed(description: "\(variable) is a variable of the shell: write its value")
        }
        for url in command.urls.flatMap({ command.takesBrackets ? URLPattern.expand($0) : [$0] }) {
          requests.append(try command.request(url))
        }
      }
    }
    guard !requests.isEmpty else { throw Malformed(description: "the command names no URL") }
    return requests
  }

  /// What stands behind the word `curl`; nil where there is none. A prompt, `sudo`, `time` or variables may precede it.
  private static func arguments(_ words: [String]) -> [String]? {
    if let runner = words.first.map(name), runners.contains(runner) { return contained(words) }
    let place = words.prefix { !$0.hasPrefix("-") || $0 == "-" }.firstIndex(where: isCurl)
    return place.map { Array(words[($0 + 1)...]) }
  }

  /// Commands that run another one elsewhere, with options of their own before it.
  private static let runners: Set<String> = [
    "kubectl", "oc", "k3s", "microk8s", "docker", "podman", "nerdctl", "ssh", "timeout", "nohup", "watch",
  ]

  /// `kubectl exec … -- curl …`, `docker run … curlimages/curl …`.
  private static func contained(_ words: [String]) -> [String]? {
    let start = words.firstIndex(of: "--").map { $0 + 1 } ?? 1
    guard let place = words[start...].firstIndex(where: { isCurl($0) || name($0).hasPrefix("curl:") }) else {
      return nil
    }
    let rest = words[(place + 1)...]
    return Array(rest.first.map(isCurl) ?? false ? rest.dropFirst() : rest)
  }

  /// The last part of a path, or of the name of an image.
  private static func name(_ word: String) -> String {
    word.split { $0 == "/" || $0 == "\\" }.last.map { $0.lowercased() } ?? ""
  }

  private static func isCurl(_ word: String) -> Bool { ["curl", "curl.exe"].contains(name(word)) }

  /// An option, or something that can be a URL.
  private static func beginsLikeArguments(_ word: String) -> Bool {
    word.hasPrefix("-") || word.contains(":") || word.contains("/") || word.contains(".")
  }

  // MARK: Options

  /// Options with a value that says nothing about the request.
  private static let ignoredWithValue: Set<String> = [
    "-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--cacert", "--capath",
    "-E", "--cert", "--key", "--cert-type", "--key-type", "--pass", "--ciphers", "--tls13-ciphers", "--tls-max",
    "--curves", "--retry", "--retry-delay", "--retry-max-time", "--noproxy", "--interface",
    "--limit-rate", "-D", "--dump-header", "-c", "--cookie-jar", "--max-redirs", "-y", "-Y",
    "--speed-time", "--speed-limit", "--dns-servers", "--local-port", "--keepalive-time", "--trace", "--trace-ascii",
    "--stderr", "-K", "--config", "--pinnedpubkey", "--crlfile", "-C", "--continue-at", "-z", "--time-cond", "--rate",
    "--max-filesize", "--expect100-timeout", "--output-dir", "--aws-sigv4", "--alt-svc",
    "--create-file-mode", "--delegation", "--dns-interface", "--dns-ipv4-addr", "--dns-ipv6-addr", "--doh-url", "--ech",
    "--egd-file", "--engine", "--etag-compare", "--etag-save", "--happy-eyeballs-timeout-ms", "--hsts", "--ip-tos",
    "--keepalive-cnt", "--krb", "--libcurl", "--login-options", "--netrc-file", "--parallel-max", "--pinnedpubkey",
    "--preproxy", "--proto", "--proto-default", "--proto-redir", "--proxy-cacert", "--proxy-cert",
    "--proxy-key", "--random-file", "--service-name", "--signature-algorithms", "--socks4",
    "--socks4a", "--socks5", "--socks5-hostname", "--sslv3", "--tlsauthtype", "--tlspassword", "--tlsuser",
    "--trace-config", "--variable", "--vlan-priority", "-t", "-Q", "-P",
  ]

  /// Short options with a value, which may be attached: `-HHost:x`.
  private static let shortWithValue = Set("oOwmExDcyYKCzHXdFAebuTrUtQP").subtracting(["O"])

  private mutating func read(_ words: [String]) throws(Malformed) {
    var rest = words[...]
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
    guard Self.takesValue(word) else {
      if let equals = word.firstIndex(of: "="), Self.isKnown(String(word[..<equals])) {
        throw Malformed(description: "\(word): curl wants a space before the value, not an equals sign")
      }
      return flag(word)
    }
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

  private static func isKnown(_ name: String) -> Bool { ignoredWithValue.contains(name) || takesValue(name) }

  private static func takesValue(_ word: String) -> Bool {
    switch word {
    case "--request", "--header", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json",
      "--form", "--form-string", "--url", "--user-agent", "--referer", "--cookie", "--user", "--upload-file",
      "--connect-to", "--range", "--oauth2-bearer", "--url-query", "--resolve", "--request-target",
      "--haproxy-clientip", "--unix-socket", "--abstract-unix-socket", "--proxy", "--proxy-header", "--proxy-user":
      return true
    default: return false
    }
  }

  private mutating func option(_ name: String, _ value: String) throws(Malformed) {
    switch name {
    case "-X", "--request": method = value
    case "-H", "--header": addHeader(value)
    case "-d", "--data", "--data-raw", "--data-binary", "--data-ascii": data.append(value)
    case "--data-urlencode": data.append(URLPattern.encoded(value))
    case "--url-query": queries.append(value.hasPrefix("+") ? String(value.dropFirst()) : URLPattern.encoded(value))
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
    case "-T", "--upload-file":
      isUpload = true
      uploaded = value.split(separator: "/").last.map(String.init) ?? ""
    case "--connect-to": connectTo.append(value)
    case "--unix-socket": socketPath = value
    case "--abstract-unix-socket": socketPath = "@" + value
    case "--resolve": resolved.append(value)
    case "--request-target": target = value
    case "--haproxy-clientip": source = value
    case "-x", "--proxy": proxy.url = value
    case "-U", "--proxy-user": proxy.user = value
    case "--proxy-header": proxy.headers.append(value)
    default: throw Malformed(description: "\(name) is not understood: write the URL with its query as it is")
    }
  }

  private mutating func flag(_ name: String) {
    switch name {
    case "-I", "--head": isHead = true
    case "-G", "--get": sendsDataInQuery = true
    case "--compressed": addHeader("Accept-Encoding: deflate, gzip, br, zstd")
    case "--path-as-is": keepsPath = true
    case "-g", "--globoff": takesBrackets = false
    case "-p", "--proxytunnel": proxy.isTunnel = true
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
      // To a unix-domain socket curl goes without a proxy.
      if socketPath == nil, let tunnel = try proxy.tunnel(to: request) { return tunnel }
    } catch {
      throw Malformed(description: error.description)
    }
    let sendsBody = (!data.isEmpty && !sendsDataInQuery) || isForm
    request.method = method ?? (isHead ? "HEAD" : isUpload ? "PUT" : sendsBody ? "POST" : "GET")
    if isUpload, request.target.hasSuffix("/"), uploaded != "-", uploaded != "." { request.target += uploaded }
    let query = (sendsDataInQuery ? data : []) + queries
    if !query.isEmpty {
      let text = query.joined(separator: "&").replacing(" ", with: "%20")
      request.target += (request.target.contains("?") ? "&" : "?") + text
    }
    if !keepsPath { request.target = PathText.withoutDotSegments(request.target) }
    if let target {
      if request.method == "CONNECT" { request.authority = target } else { request.target = target }
    }
    request.source = source.flatMap { IPAddress($0) }
    for field in fields { request.add(field.name, field.value) }
    if let user = URLPattern.user(of: url), !fields.contains(where: { $0.name.lowercased() == "authorization" }) {
      request.add("Authorization", "Basic \(Self.base64(Array(user.utf8)))")
    }
    addUsual("User-Agent", "curl/8.0.0", to: &request)
    addUsual("Accept", isJSON ? "application/json" : "*/*", to: &request)
    if isJSON {
      addUsual("Content-Type", "application/json", to: &request)
    } else if isForm {
      addUsual("Content-Type", "multipart/form-data", to: &request)
    } else if sendsBody {
      addUsual("Content-Type", "application/x-www-form-urlencoded", to: &request)
    }
    connect(&request)
    request.socketPath = socketPath
    return request
  }

  /// The first variable before the path, which no shell has put a value for: `$HOST`, `${HOST}`.
  private static func variable(in url: String) -> Substring? {
    let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
    let authority = url[start...].prefix { $0 != "/" && $0 != "?" }
    guard let dollar = authority.firstIndex(of: "$") else { return nil }
    let name = authority[authority.index(after: dollar)...].prefix { $0.isLetter || $0.isNumber || "_{}".contains($0) }
    return name.isEmpty ? nil : url[dollar..<name.endIndex]
  }

  private func addUsual(_ name: String, _ value: String, to request: inout SampleRequest) {
    let isSaid = fields.contains { $0.name.lowercased() == name.lowercased() }
    if !isSaid, !removed.contains(name.lowercased()) { request.add(name, value) }
  }

  /// Where the connection goes: `--connect-to HOST1:PORT1:HOST2:PORT2` and `--resolve HOST:PORT:ADDRESS`.
  private func connect(_ request: inout SampleRequest) {
    let host = request.serverName ?? request.authority.split(separator: ":").first.map(String.init) ?? ""
    let asked = request.port
    let applies = { (parts: [Substring]) in
      let isHost = parts[0].isEmpty || parts[0] == "*" || parts[0].lowercased() == host.lowercased()
      return isHost && (parts[1].isEmpty || Int(parts[1]) == asked)
    }
    let split = { (text: String) in text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
    for parts in connectTo.map(split) where parts.count == 3 && applies(parts) {
      // The last part is the port, the host before it may be an IPv6 address.
      guard let last = parts[2].lastIndex(of: ":") else { continue }
      request.address = Self.address(parts[2][..<last]) ?? request.address
      if let port = Int(parts[2][parts[2].index(after: last)...]) { request.port = port }
      return
    }
    for parts in resolved.map({ split($0.hasPrefix("+") ? String($0.dropFirst()) : $0) })
    where parts.count == 3 && applies(parts) {
      request.address = parts[2].split(separator: ",").first.flatMap(Self.address) ?? request.address
    }
  }

  private static func address(_ text: Substring) -> IPAddress? {
    IPAddress(text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : String(text))
  }

  static func base64(_ bytes: [UInt8]) -> String {
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
