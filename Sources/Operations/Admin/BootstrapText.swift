/// `sallyport proxy-config bootstrap` for people.
package enum BootstrapText {
  /// From what `ConfigurationSelection.bootstrap` found. What a saved or offline dump does not know has no line.
  package static func text(_ bootstrap: JSON) -> String {
    let node = bootstrap["node"]
    let metadata = node["metadata"]
    var lines: [(String, String)] = [
      ("Instance", "\(metadata["NAME"].plain).\(metadata["NAMESPACE"].plain)"), ("Node", node["id"].plain),
      ("Version", version(node)),
      ("Labels", metadata["LABELS"].fields.map { "\($0.0)=\($0.1.plain)" }.joined(separator: ",")),
      ("Configuration", bootstrap["configuration"]["paths"].items.map(\.plain).joined(separator: ", ")),
      ("Secrets", bootstrap["configuration"]["secrets"].items.map(\.plain).joined(separator: ", ")),
      ("Workers", bootstrap["concurrency"].plain), ("Admin", place(bootstrap["admin"]["address"])),
    ]
    for own in bootstrap["own_listeners"].items { lines.append((own["name"].plain, place(own["address"]))) }
    for listener in bootstrap["listeners"].items {
      lines.append(
        (
          "Listener",
          "\(place(listener["address"]))  of \(listener["servers"].items.map(\.plain).joined(separator: ", "))"
        ))
    }
    for (name, value) in bootstrap["limits"].fields {
      lines.append(("Limit", "\(name) \(value.plain.isEmpty ? "none" : value.plain)"))
    }
    for (name, value) in bootstrap["timeouts"].fields { lines.append(("Timeout", "\(name) \(value.plain)")) }
    lines.append(("Access log", bootstrap["access_log"].plain))
    lines.append(("Name servers", bootstrap["dns_servers"].items.map(\.plain).joined(separator: ", ")))
    for override in bootstrap["resolve"].items { lines.append(("Resolve", override.plain)) }
    let shown = lines.filter { !$0.1.isEmpty && $0.1 != "." }
    let width = (shown.map(\.0.count).max() ?? 0) + 2
    return shown.map { $0.0 + ":" + String(repeating: " ", count: width - $0.0.count) + $0.1 + "\n" }.joined()
  }

  private static func version(_ node: JSON) -> String {
    let version = node["user_agent_version"].plain
    return version.isEmpty ? "" : "\(node["user_agent_name"].plain) \(version)"
  }

  private static func place(_ address: JSON) -> String {
    let pipe = address["pipe"]["path"].plain
    guard pipe.isEmpty else { return Pipe.prefix + pipe }
    let socket = address["socket_address"]
    let host = socket["address"].plain
    return host.isEmpty ? "" : "\(host.contains(":") ? "[\(host)]" : host):\(socket["port_value"].plain)"
  }
}
