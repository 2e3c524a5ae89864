import ArgumentParser

/// Teaches a completion script the other names of verbs, which ArgumentParser's scripts know nothing of. The text is
/// edited where it has the form that the version in use writes; a form that is not found stays as it is.
struct CompletionAliases {
  /// A verb that has other names.
  private struct Entry {
    /// `sallyport proxy-config`
    let path: [String]
    let name: String
    let aliases: [String]
    let abstract: String
  }

  private let entries: [Entry]
  private let verbs: [String]

  init(_ root: any ParsableCommand.Type) {
    entries = Self.entries(root, [root._commandName])
    verbs = root.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
  }

  private static func entries(_ parent: any ParsableCommand.Type, _ path: [String]) -> [Entry] {
    parent.configuration.subcommands.flatMap { command in
      let configuration = command.configuration
      let own = Entry(
        path: path, name: command._commandName, aliases: configuration.aliases, abstract: configuration.abstract)
      return (own.aliases.isEmpty ? [] : [own]) + entries(command, path + [own.name])
    }
  }

  /// The verbs of one parent that have other names.
  private var parents: [[Entry]] {
    Dictionary(grouping: entries, by: \.path).sorted { $0.key.joined() < $1.key.joined() }.map(\.value)
  }

  func bash(_ script: String) -> String {
    var script = script
    for entries in parents {
      let function = "_" + entries[0].path.joined(separator: "_") + "() {"
      script = Self.edit(script, from: function) { text in
        let cases = entries.map { "    \($0.aliases.joined(separator: "|"))) subcommand=\($0.name) ;;\n" }.joined()
        return
          text
          .replacing(
            "    local -r subcommand=\"${unparsed_words[0]}\"\n",
            with: "    local subcommand=\"${unparsed_words[0]}\"\n    case \"${subcommand}\" in\n\(cases)    esac\n",
            maxReplacements: 1
          )
          .replacing("compgen -W '", with: "compgen -W '\(Self.names(entries)) ", maxReplacements: 1)
      }
    }
    return Self.edit(script, from: "_sallyport_help() {") { text in
      text.replacing(
        "    __sallyport_offer_flags_options -1",
        with:
          "    __sallyport_offer_flags_options -1\n    __sallyport_add_completions -W '\(verbs.joined(separator: "'$'\\n''"))'",
        maxReplacements: 1)
    }
  }

  func zsh(_ script: String) -> String {
    var script = script
    for entries in parents {
      let function = "_" + entries[0].path.joined(separator: "_") + "() {"
      script = Self.edit(script, from: function) { text in
        let described = entries.flatMap { entry in entry.aliases.map { "            '\($0):\(entry.abstract)'\n" } }
        let cases = entries.map { "        \($0.aliases.joined(separator: "|"))) words[1]=\($0.name) ;;\n" }.joined()
        return
          text
          .replacing(
            "        local -ar subcommands=(\n", with: "        local -ar subcommands=(\n\(described.joined())",
            maxReplacements: 1
          )
          .replacing(
            "    arg)\n", with: "    arg)\n        case \"${words[1]}\" in\n\(cases)        esac\n", maxReplacements: 1)
      }
    }
    return script.replacing("'*:subcommands:'", with: "'*:subcommands:(\(verbs.joined(separator: " ")))'")
  }

  func fish(_ script: String) -> String {
    var script = script
    var cases = ""
    for entry in entries {
      for alias in entry.aliases {
        cases += "    case '\((entry.path + [alias]).joined(separator: " "))'\n        set -a commands \(entry.name)\n"
      }
      let depth = String(repeating: "    ", count: entry.path.count + 1)
      let names = ([entry.name] + entry.aliases).map { "'\($0)'" }.joined(separator: " ")
      script = script.replacing("\n\(depth)case '\(entry.name)'\n", with: "\n\(depth)case \(names)\n")
    }
    script = script.replacing(
      "    set -a commands $unparsed_tokens[1]\n",
      with:
        "    switch \"$commands $unparsed_tokens[1]\"\n\(cases)    case '*'\n        set -a commands $unparsed_tokens[1]\n    end\n"
    )
    let offers = entries.flatMap { entry in
      entry.aliases.map { alias in
        "complete -c 'sallyport' -n '__sallyport_should_offer_completions_for_positional"
          + " \"\(entry.path.joined(separator: " "))\" -eq 1' -fa '\(alias)' -d '\(entry.abstract)'\n"
      }
    }
    return script + "\n" + offers.joined()
  }

  private static func names(_ entries: [Entry]) -> String { entries.flatMap(\.aliases).joined(separator: " ") }

  /// Edits the part of a script from the line `start` to the end of that function.
  private static func edit(_ script: String, from start: String, _ change: (String) -> String) -> String {
    guard let begin = script.firstRange(of: "\n\(start)\n"),
      let end = script[begin.upperBound...].firstRange(of: "\n}\n")
    else { return script }
    return script[..<begin.upperBound] + change(String(script[begin.upperBound..<end.lowerBound]))
      + script[end.lowerBound...]
  }
}
