/// Finds out what a probe's shell command asks for with curl, so that the gateway can ask the same itself, without a
/// shell.
package enum CurlCommand {
  /// A request that a command sends.
  package struct Request: Sendable, Equatable {
    package let url: String
    /// Of `--request` and `--head`; nil: GET.
    package var method: String?
    /// Of `--header`, with values.
    package var fields: [(name: String, value: String)] = []

    package static func == (left: Request, right: Request) -> Bool {
      left.url == right.url && left.method == right.method && left.fields.elementsEqual(right.fields, by: ==)
    }
  }

  /// What a command asks for, and what of it is not understood.
  package struct Reading: Sendable {
    package fileprivate(set) var requests: [Request] = []
    /// Parts of the command that mean nothing to the gateway, in words: `"cat /tmp/ready"`.
    package fileprivate(set) var ignored: [String] = []
  }

  /// What an option of curl is to us.
  private enum Meaning {
    /// It changes what is shown, or how long curl tries; the probe has its own times.
    case harmless
    case harmlessWithValue
    case ignored
    case ignoredWithValue
    case method
    case head
    case field
    case userAgent
    case url
  }

  /// By the long name.
  private static let options: [String: Meaning] = {
    var options: [String: Meaning] = [
      "request": .method, "head": .head, "header": .field, "user-agent": .userAgent, "url": .url, "get": .harmless,
    ]
    for name in [
      "silent", "show-error", "fail", "fail-with-body", "fail-early", "verbose", "include", "no-progress-meter",
      "progress-bar", "no-buffer", "remote-name", "http1.1", "http2", "http2-prior-knowledge", "ipv4", "ipv6",
      "globoff", "compressed", "tcp-nodelay", "no-keepalive", "tlsv1.2", "tlsv1.3", "path-as-is",
    ] { options[name] = .harmless }
    for name in [
      "max-time", "connect-timeout", "output", "write-out", "stderr", "retry", "retry-delay", "retry-max-time",
      "dump-header", "trace", "trace-ascii", "tls-max",
    ] { options[name] = .harmlessWithValue }
    for name in [
      "data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json", "form", "form-string", "upload-file",
      "user", "cookie", "referer", "resolve", "connect-to", "cacert", "capath", "cert", "key", "cert-type", "key-type",
      "proxy", "interface", "unix-socket", "abstract-unix-socket", "oauth2-bearer", "proxy-user", "socks5", "config",
      "range", "max-redirs", "ciphers", "pinnedpubkey", "aws-sigv4", "variable", "request-target", "doh-url",
      "dns-servers", "haproxy-clientip", "max-filesize", "speed-limit", "speed-time", "limit-rate", "continue-at",
    ] { options[name] = .ignoredWithValue }
    return options
  }()

  /// The letters of options, with their long names.
  private static let letters: [Character: String] = [
    "s": "silent", "S": "show-error", "f": "fail", "v": "verbose", "i": "include", "#": "progress-bar",
    "N": "no-buffer", "O": "remote-name", "4": "ipv4", "6": "ipv6", "g": "globoff", "L": "location", "m": "max-time",
    "o": "output", "w": "write-out", "X": "request", "I": "head", "H": "header", "A": "user-agent", "d": "data",
    "F": "form", "T": "upload-file", "u": "user", "b": "cookie", "e": "referer", "E": "cert", "x": "proxy",
    "D": "dump-header", "G": "get", "K": "config", "r": "range", "C": "continue-at", "U": "proxy-user", "k": "insecure",
  ]

  /// What `argv` asks for: `curl …` itself, or `sh -c 'curl … && curl …'`.
  ///
  /// Port 15021 is the gateway's own readiness, which is there anyway: what asks for it is left out.
  package static func read(_ argv: [String]) -> Reading {
    var reading = Reading()
    for words in ShellLine.commands(of: argv) {
      let text = words.joined(separator: " ")
      if isWithoutEffect(words) { continue }
      guard let start = words.firstIndex(where: { $0 == "curl" || $0.hasSuffix("/curl") }),
        words[..<start].allSatisfy({ prefixes.contains($0) || $0.contains("=") })
      else {
        if !text.contains(ownReadiness) { reading.ignored.append("\"\(text)\"") }
        continue
      }
      read(Array(words[(start + 1)...]), text, into: &reading)
    }
    return reading
  }

  /// What may stand before the name of a command.
  private static let prefixes: Set<String> = [
    "!", "command", "do", "done", "elif", "else", "env", "exec", "fi", "if", "then", "time", "until", "while",
  ]

  private static let ownReadiness = ":15021"

  /// Commands that decide nothing by themselves, and words of the shell without one.
  private static func isWithoutEffect(_ words: [String]) -> Bool {
    let words = words.drop { prefixes.contains($0) }
    guard let first = words.first else { return true }
    return [":", "echo", "exit", "export", "printf", "set", "true"].contains(first)
  }

  private static func read(_ words: [String], _ text: String, into reading: inout Reading) {
    var urls: [String] = []
    var request = Request(url: "")
    var ignored: [String] = []
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      guard word.hasPrefix("-"), word.count > 1 else {
        if !isRedirection(word) { urls.append(word) }
        continue
      }
      for option in Self.options(in: word) {
        // What stands behind the letter, or the next word.
        let needsWord = option.takesValue && option.value == nil
        let value = option.value ?? (needsWord && index < words.count ? words[index] : "")
        if needsWord { index += 1 }
        switch option.meaning {
        case .harmless, .harmlessWithValue: break
        case .ignored, .ignoredWithValue: ignored.append(option.written)
        case .method: if isToken(value) { request.method = value } else { ignored.append(option.written) }
        case .head: request.method = request.method ?? "HEAD"
        case .userAgent:
          if isPrintable(value) { request.fields.append(("user-agent", value)) } else { ignored.append(option.written) }
        case .url: urls.append(value)
        case .field:
          if let colon = value.firstIndex(of: ":"), isToken(value[..<colon]), isPrintable(value) {
            let rest = value[value.index(after: colon)...].drop { $0 == " " }
            request.fields.append((String(value[..<colon]), String(rest)))
          } else {
            ignored.append(option.written)
          }
        }
      }
    }
    for url in urls where !url.contains(ownReadiness) {
      guard isPrintable(url), !url.contains(" ") else {
        ignored.append("the URL")
        continue
      }
      var one = Request(url: url.contains("://") ? url : "http://\(url)")
      one.method = request.method
      one.fields = request.fields
      reading.requests.append(one)
    }
    if !ignored.isEmpty { reading.ignored.append("\(ignored.joined(separator: ", ")) of \"\(text)\"") }
    if urls.isEmpty { reading.ignored.append("\"\(text)\"") }
  }

  private static func isPrintable(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  private static func isToken(_ text: some StringProtocol) -> Bool {
    let marks = "!#$%&'*+-.^_`|~".utf8
    return !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || marks.contains(byte)
      }
  }

  /// An option as it is written, and what stands for its value in the same word.
  private struct Option {
    let written: String
    let meaning: Meaning
    var value: String?

    var takesValue: Bool {
      switch meaning {
      case .harmlessWithValue, .ignoredWithValue, .method, .field, .userAgent, .url: true
      case .harmless, .ignored, .head: false
      }
    }
  }

  /// The options of a word: one long one, or letters that stand together, as in `-sfm2`.
  private static func options(in word: String) -> [Option] {
    if word.hasPrefix("--") {
      return [Option(written: word, meaning: options[String(word.dropFirst(2))] ?? .ignored)]
    }
    var found: [Option] = []
    var rest = word.dropFirst()
    while let letter = rest.popFirst() {
      let meaning = letters[letter].flatMap { options[$0] } ?? .ignored
      var option = Option(written: "-\(letter)", meaning: meaning)
      if option.takesValue {
        if !rest.isEmpty { option.value = String(rest) }
        found.append(option)
        break
      }
      found.append(option)
    }
    return found
  }

  private static func isRedirection(_ word: String) -> Bool {
    word.contains(">") || word.contains("<")
  }
}
