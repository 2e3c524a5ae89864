/// The configuration files of a path: itself, whatever it is called and may be, or those in a folder and the folders
/// below it. Of folders only files are read, and links to files: whatever else lies there might never end.
package struct ConfigurationFiles: Sendable {
  /// In lexical order.
  package private(set) var files: [String] = []
  /// What has the name of a configuration file, and is a pipe, a socket or a device.
  package private(set) var special: [String] = []
  /// Files of folders whose names say that they are something else.
  private var others: [String] = []
  private let path: String

  /// How the names of the files end that are read from folders, as kubectl's do.
  private static let endings = [".yaml", ".yml", ".json"]

  /// nil when the path does not exist.
  package init?(_ path: String) {
    guard let kind = FileSystem.kind(path) else { return nil }
    self.path = path
    if kind == .directory { collect(path, above: []) } else { files = [path] }
  }

  /// - Parameter above: the directories that this one is in; a link back to one of them is not followed.
  private mutating func collect(_ directory: String, above: [FileSystem.Identity]) {
    guard above.count < 32, let identity = FileSystem.identity(of: directory), !above.contains(identity) else { return }
    let base = directory.hasSuffix("/") ? directory : directory + "/"
    for name in FileSystem.names(in: directory) where !name.hasPrefix(".") {
      let path = base + name
      let isConfiguration = Self.endings.contains { name.hasSuffix($0) }
      switch FileSystem.kind(path) {
      case .directory: collect(path, above: above + [identity])
      case .special where isConfiguration: special.append(path)
      // A link to nothing is a file that cannot be read.
      default: if isConfiguration { files.append(path) } else { others.append(path) }
      }
    }
  }

  /// What is to be said about a folder of which something, or everything, is not read.
  var diagnostics: [Diagnostic] {
    var found = special.map {
      Diagnostic(
        "SP1063", .warning, "\($0) is a pipe, a socket or a device: of folders only files are read",
        help: "give it as an argument of its own, if it is meant to be read")
    }
    if files.isEmpty {
      let names = others.prefix(3).joined(separator: ", ") + (others.count > 3 ? ", …" : "")
      found.append(
        Diagnostic(
          "SP1062", .warning, "nothing is read from \(path): it has no file *.yaml, *.yml or *.json",
          help: others.isEmpty ? nil : "there is \(names); a file that is an argument is read whatever its name"))
    }
    return found
  }
}
