/// Finds out what a probe's shell command fetches with curl, so that the gateway can ask the same itself, without a
/// shell.
enum CurlCommand {
  /// The options of curl that are followed by a value, which is not a URL to fetch.
  private static let valued: Set<String> = [
    "-m", "--max-time", "--connect-timeout", "-o", "--output", "-w", "--write-out", "-H", "--header", "-X", "--request",
    "-d", "--data", "-u", "--user", "-A", "--user-agent", "-e", "--referer", "-b", "--cookie", "--resolve",
    "--connect-to",
    "--cacert", "--capath", "-E", "--cert", "--key", "--retry", "--retry-delay", "--retry-max-time", "-x", "--proxy",
    "--interface", "--unix-socket", "-T", "--upload-file",
  ]

  /// The URLs that a command fetches, in order. `argv` is `curl …` itself or `sh -c 'curl … && curl …'`.
  static func urls(of argv: [String]) -> [String] {
    var commands: [[String]] = []
    if let flag = argv.firstIndex(where: { $0.hasPrefix("-") && $0.hasSuffix("c") }), argv[0].hasSuffix("sh"),
      argv.indices.contains(flag + 1)
    {
      commands = simpleCommands(of: argv[flag + 1])
    } else {
      commands = [argv]
    }
    return commands.flatMap(urls(ofSimple:))
  }

  private static func urls(ofSimple words: [String]) -> [String] {
    guard let start = words.firstIndex(where: { $0 == "curl" || $0.hasSuffix("/curl") }) else { return [] }
    var urls: [String] = []
    var expectsURL = false
    var skipsNext = false
    for word in words[(start + 1)...] {
      if skipsNext {
        skipsNext = false
      } else if word.hasPrefix("-"), word.count > 1, !expectsURL {
        expectsURL = word == "--url"
        // Short options may stand together: `-sfm 2`.
        let last = word.hasPrefix("--") ? word : "-\(word.suffix(1))"
        skipsNext = !expectsURL && valued.contains(last)
      } else if !isRedirection(word) {
        expectsURL = false
        urls.append(word.contains("://") ? word : "http://\(word)")
      }
    }
    return urls
  }

  private static func isRedirection(_ word: String) -> Bool {
    word.contains(">") || word.contains("<")
  }

  /// The commands of a shell line: words without their quotes, cut at `&&`, `||`, `;`, `|` and line ends.
  private static func simpleCommands(of line: String) -> [[String]] {
    var commands: [[String]] = [[]]
    var word: String?
    var quote: Character?
    var isEscaped = false
    func endWord() {
      if let text = word { commands[commands.count - 1].append(text) }
      word = nil
    }
    for character in line {
      if isEscaped {
        isEscaped = false
        if character != "\n" { word = (word ?? "") + String(character) }
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        endWord()
      } else if "&|;\n()".contains(character) {
        // `2>&1` is one word.
        if character == "&", word?.hasSuffix(">") ?? false {
          word?.append(character)
          continue
        }
        endWord()
        commands.append([])
      } else {
        word = (word ?? "") + String(character)
      }
    }
    endWord()
    return commands
  }
}
