/// Secrets as mounted volumes have them: one folder a secret, one file a key.
package enum SecretsDirectory {
  /// Reads the secrets below `path`: `NAME/KEY`, or `NAMESPACE/NAME/KEY`.
  ///
  /// - Parameter namespace: the namespace of secrets whose folder does not say one.
  package static func load(_ path: String, namespace: String) -> [Resource<Secret>]? {
    guard FileSystem.isDirectory(path) == true else { return nil }
    var secrets: [Resource<Secret>] = []
    for name in FileSystem.names(in: path) where !name.hasPrefix(".") {
      let folder = "\(path)/\(name)"
      guard FileSystem.isDirectory(folder) == true else { continue }
      let inner = FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
      let isNamespace = inner.contains { FileSystem.isDirectory("\(folder)/\($0)") == true }
      if isNamespace {
        for secret in inner { append("\(folder)/\(secret)", name: secret, namespace: name, to: &secrets) }
      } else {
        append(folder, name: name, namespace: namespace, to: &secrets)
      }
    }
    return secrets
  }

  private static func append(_ folder: String, name: String, namespace: String, to secrets: inout [Resource<Secret>]) {
    var data: [String: [UInt8]] = [:]
    for key in FileSystem.names(in: folder) where !key.hasPrefix(".") {
      let file = "\(folder)/\(key)"
      if FileSystem.kind(file) == .file, let bytes = FileSystem.read(file) { data[key] = bytes }
    }
    guard !data.isEmpty else { return }
    var metadata = Metadata()
    metadata.name = name
    metadata.namespace = namespace
    secrets.append(
      Resource(
        kind: "Secret", metadata: metadata, location: SourceLocation(file: folder, line: 1, column: 1),
        spec: Secret(type: "kubernetes.io/tls", data: data)))
  }
}
