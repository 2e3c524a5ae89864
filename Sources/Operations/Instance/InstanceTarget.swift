import Resources

/// An instance as istioctl's users name a proxy: `NAME`, `NAME.NAMESPACE`, `TYPE/NAME`, `TYPE/NAME.NAMESPACE`.
package struct InstanceTarget: Sendable, Hashable, CustomStringConvertible {
  package let name: String
  /// nil: any.
  package let namespace: String?
  /// As it was written.
  package let description: String

  /// Why a text names no instance, in words.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// What an instance is in a cluster, or declared by.
  private static let types: Set<String> = [
    "deployment", "deployments", "deploy", "deployment.apps", "deployments.apps", "pod", "pods", "po", "instance",
    "istiooperator", "iop",
  ]

  package init(_ text: String) throws(Malformed) {
    var rest = text[...]
    if let slash = text.firstIndex(of: "/") {
      let type = text[..<slash].lowercased()
      guard Self.types.contains(type) else {
        throw Malformed(
          description:
            "\"\(text)\": \"\(type)\" is no type of instance; write NAME[.NAMESPACE], or before it deployment/, "
            + "pod/, istiooperator/ or instance/")
      }
      rest = text[text.index(after: slash)...]
    }
    let dot = rest.lastIndex(of: ".")
    let namespace = dot.map { rest[rest.index(after: $0)...] }
    let name = dot.map { rest[..<$0] } ?? rest
    guard !name.isEmpty, namespace?.isEmpty != true, !rest.contains("/") else {
      throw Malformed(description: "\"\(text)\" names no instance: write [TYPE/]NAME[.NAMESPACE]")
    }
    self.name = String(name)
    self.namespace = namespace.map(String.init)
    description = text
  }

  /// `did you mean "x"?` for the nearest of those that there are; nil when none is near.
  package func help(among instances: [(name: String, namespace: String)]) -> String? {
    guard let namespace else { return Suggestion.help(for: name, among: instances.map(\.name)) }
    return Suggestion.help(for: "\(name).\(namespace)", among: instances.map { "\($0.name).\($0.namespace)" })
  }

  /// Whether this names the instance.
  package func names(_ name: String, _ namespace: String) -> Bool {
    name == self.name && (self.namespace == nil || namespace == self.namespace)
  }
}
