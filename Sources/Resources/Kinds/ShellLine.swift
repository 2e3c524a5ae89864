/// Takes a shell's command line apart, as far as probes need it.
enum ShellLine {
  /// The simple commands of `argv`: of the line behind `sh -c`, else `argv` itself.
  static func commands(of argv: [String]) -> [[String]] {
    guard let flag = argv.firstIndex(where: { $0.hasPrefix("-") && $0.hasSuffix("c") }), argv[0].hasSuffix("sh"),
      argv.indices.contains(flag + 1)
    else { return argv.isEmpty ? [] : [argv] }
    return simpleCommands(of: argv[flag + 1]).filter { !$0.isEmpty }
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
