/// The manual page, made from what the command line says of itself: verbs and flags are described in one place.
package struct ManualPage {
  private var lines: [String] = []

  /// The page in roff with the macros of man(7).
  ///
  /// - Parameters:
  ///   - description: what the argument parser dumps of all commands, as JSON.
  ///   - version: the version in the page's foot.
  /// - Returns: nil when the description is not JSON.
  package static func text(_ description: String, version: String) -> String? {
    guard let json = JSONReader.read(description) else { return nil }
    var page = ManualPage()
    page.write(json["command"], version)
    return page.lines.joined(separator: "\n") + "\n"
  }

  private mutating func write(_ program: JSON, _ version: String) {
    let name = program["commandName"].plain
    lines.append(".\\\" Made by \"\(name) man\": do not edit.")
    lines.append(".TH \(name.uppercased()) 1 \"\" \"\(name) \(version)\" \"User Commands\"")
    lines.append(".SH NAME")
    lines.append("\(Self.escaped(name)) \\- \(Self.escaped(Self.lowercasedFirst(program["abstract"].plain)))")
    lines.append(".SH SYNOPSIS")
    lines.append(".B \(Self.escaped(name))")
    lines.append("\\fIcommand\\fR [\\fIoption\\fR ...] [\\fIargument\\fR ...]")
    lines.append(".SH DESCRIPTION")
    discussion(program)
    lines.append(".SH COMMANDS")
    for command in commands(of: program) { write(command, below: name) }
    arguments(of: program, title: "OPTIONS OF EVERY COMMAND", all: true)
    files()
  }

  private func commands(of parent: JSON) -> [JSON] {
    parent["subcommands"].items.filter { $0["commandName"].plain != "help" && $0["shouldDisplay"].plain != "false" }
  }

  private mutating func write(_ command: JSON, below parent: String) {
    let name = "\(parent) \(command["commandName"].plain)"
    lines.append(".SS \"\(Self.quoted(name))\"")
    lines.append(Self.text(command["abstract"].plain))
    let aliases = command["aliases"].items.map(\.plain)
    if !aliases.isEmpty {
      lines.append("Also: \(aliases.map { "\\fB\(Self.escaped($0))\\fR" }.joined(separator: ", ")).")
    }
    discussion(command)
    arguments(of: command, title: nil, all: false)
    for nested in commands(of: command) { write(nested, below: name) }
  }

  /// Lines as they stand: they are made of examples.
  private mutating func discussion(_ command: JSON) {
    let text = command["discussion"].plain
    guard !text.isEmpty else { return }
    lines += [".PP", ".nf"]
    lines += text.split(separator: "\n", omittingEmptySubsequences: false).map { Self.text(String($0)) }
    lines.append(".fi")
  }

  // MARK: Arguments

  /// Those that every command has are described once.
  private mutating func arguments(of command: JSON, title: String?, all: Bool) {
    let found = command["arguments"].items.filter {
      $0["shouldDisplay"].plain != "false" && (all || !["help", "version"].contains($0["valueName"].plain))
    }
    guard !found.isEmpty else { return }
    if let title { lines.append(".SH \(title)") }
    for argument in found {
      lines.append(".TP")
      lines.append(Self.label(argument))
      lines.append(Self.text(Self.explanation(argument)))
    }
  }

  private static func label(_ argument: JSON) -> String {
    let value = "\\fI\(escaped(argument["valueName"].plain))\\fR"
    let more = argument["isRepeating"].plain == "true" ? " ..." : ""
    guard argument["kind"].plain != "positional" else { return value + more }
    let names = argument["names"].items.map { name in
      "\\fB\(escaped((name["kind"].plain == "long" ? "--" : "-") + name["name"].plain))\\fR"
    }
    let isFlag = argument["kind"].plain == "flag"
    return names.joined(separator: ", ") + (isFlag ? "" : " \(value)\(more)")
  }

  private static func explanation(_ argument: JSON) -> String {
    var text = argument["abstract"].plain
    let choices = argument["allValues"].items.map(\.plain)
    // Most descriptions name the choices themselves.
    if !choices.isEmpty, !choices.allSatisfy({ text.contains($0) }) {
      text += (text.isEmpty ? "" : " ") + "One of \(choices.joined(separator: ", "))."
    }
    let usual = argument["defaultValue"].plain
    if !usual.isEmpty { text += (text.isEmpty ? "" : " ") + "Default: \(usual)." }
    return text.isEmpty ? "See above." : text
  }

  // MARK: The rest

  private mutating func files() {
    lines.append(".SH EXIT STATUS")
    let codes = [
      ("0", "Success."), ("1", "explain: the request is not answered as rules say; diff: requests see a difference."),
      ("64", "The command line is wrong."), ("65", "A file cannot be parsed."), ("66", "A file cannot be read."),
      ("69", "No instance answers."), ("77", "An address cannot be bound."), ("78", "The configuration is in error."),
      ("79", "check found something at or above --failure-threshold."),
    ]
    for (code, meaning) in codes { lines += [".TP", "\\fB\(code)\\fR", Self.text(meaning)] }
    lines.append(".SH FILES")
    lines += [".TP", "\\fIgateways/\\fR", "The resources that are read where no path is given."]
  }

  // MARK: Text

  /// A line of text: nothing in it is a request or an escape.
  private static func text(_ line: String) -> String {
    let escaped = escaped(line)
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'": result += "\\(aq"
      case "`": result += "\\(ga"
      case "^": result += "\\(ha"
      case "~": result += "\\(ti"
      case "…": result += "..."
      default: result.append(character)
      }
    }
  }

  /// In an argument of a macro.
  private static func quoted(_ text: String) -> String {
    escaped(text).reduce(into: "") { $0 += $1 == "\"" ? "\\(dq" : "\($1)" }
  }

  /// The form of NAME sections: no capital, no full stop.
  private static func lowercasedFirst(_ text: String) -> String {
    let line = text.hasSuffix(".") ? String(text.dropLast()) : text
    return line.prefix(1).lowercased() + line.dropFirst()
  }
}
