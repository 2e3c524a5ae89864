import ArgumentParser
import CLinux
import Operations
import Resources

/// `sallyport fmt`
struct FormatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Put resources into canonical form; comments stay.",
    discussion: """
      Prints the result, or writes it with -w. Exit codes: 0 done, 1 with -l when a file would change, 65 a file is not YAML,
      or has a document that stays as it is, which is said: one with anchors, tags or directives, for instance.
      sallyport fmt gateways/ -l
      sallyport fmt gateways/ -w
      """)

  @Argument(help: "Files and directories with resources, or - for standard input.", completion: .file())
  var paths: [String] = ["gateways/"]

  @Flag(name: .shortAndLong, help: "Write the files that change, and name them.")
  var write = false

  @Flag(name: .shortAndLong, help: "Only name the files that would change.")
  var list = false

  func validate() throws {
    if write, paths.contains("-") { throw ValidationError("-w needs files, not standard input") }
  }

  func run() throws {
    var changes = false
    var isBroken = false
    for (file, bytes) in read() {
      let result = ResourceFormatter.format(bytes, file: file)
      if let error = result.error {
        isBroken = true
        say("sallyport: \(error.location.map { "\($0)" } ?? file): \(error.message)\n")
        continue
      }
      isBroken = isBroken || !result.kept.isEmpty
      for text in result.kept { say("sallyport: \(file): \(text)\n") }
      let isChanged = result.text != bytes
      changes = changes || isChanged
      if !write, !list {
        output(String(decoding: result.text, as: UTF8.self))
      } else if isChanged {
        if write, !FileWriter.replace(file, with: result.text) { fail("cannot write \(file)", ExitStatus.noInput) }
        output(file + "\n")
      }
    }
    if isBroken { throw ExitCode(ExitStatus.data) }
    if list, changes { throw ExitCode(1) }
  }

  private func read() -> [(file: String, bytes: [UInt8])] {
    paths.flatMap { path -> [(String, [UInt8])] in
      if path == "-" { return [("<stdin>", FileSystem.readAll(descriptor: 0))] }
      guard let found = ConfigurationFiles(path) else { fail("cannot read \(path)", ExitStatus.noInput) }
      // Programs that read JSON do not read YAML: only what is asked for by name is made YAML, and not in its place.
      let files = found.files.filter { !$0.hasSuffix(".json") || $0 == path && !write && !list }
      let isLeft = files.isEmpty && found.files == [path]
      if isLeft { say("sallyport: \(path): it is JSON, and stays as it is\n") }
      return files.map { file in
        guard let bytes = FileSystem.read(file) else { fail("cannot read \(file)", ExitStatus.noInput) }
        return (file, bytes)
      }
    }
  }

  private func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe CLinux.write(2, bytes, bytes.count)
  }
}
