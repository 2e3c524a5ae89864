import Resources
import Transport

/// An instance that runs on this machine, and answers.
package struct RunningInstance: Sendable {
  package let name: String
  package let namespace: String
  /// Where its admin endpoints are.
  package let admin: SocketAddress

  /// Asks who serves an admin port; nil when nobody answers, or something else does.
  package init?(at admin: SocketAddress) {
    guard let answer = try? AdminClient(address: admin).get("/server_info", timeoutSeconds: 2),
      let info = JSONReader.read(answer.body)
    else { return nil }
    let metadata = info["node"]["metadata"]
    guard !metadata["NAME"].plain.isEmpty else { return nil }
    name = metadata["NAME"].plain
    namespace = metadata["NAMESPACE"].plain
    self.admin = admin
  }

  /// All instances of this machine, as far as their command lines can be read, in the order of their names.
  package static func all() -> [RunningInstance] {
    var places: [SocketAddress] = []
    for process in FileSystem.names(in: "/proc") where process.allSatisfy(\.isNumber) {
      guard let bytes = FileSystem.read("/proc/\(process)/cmdline"),
        let place = adminAddress(commandLine: bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }),
        !places.contains(place)
      else { continue }
      places.append(place)
    }
    return places.compactMap { RunningInstance(at: $0) }.sorted {
      ($0.name, $0.namespace, $0.admin.port) < ($1.name, $1.namespace, $1.admin.port)
    }
  }

  /// Where `sallyport run` with these arguments has its admin endpoints; nil for other commands.
  static func adminAddress(commandLine words: [String]) -> SocketAddress? {
    guard words.count > 1, words[0].split(separator: "/").last?.hasPrefix("sallyport") == true, words[1] == "run" else {
      return nil
    }
    let value = { (flag: String) -> String? in
      guard let index = words.lastIndex(where: { $0 == flag || $0.hasPrefix(flag + "=") }) else { return nil }
      if words[index] != flag { return String(words[index].dropFirst(flag.count + 1)) }
      return index + 1 < words.count ? words[index + 1] : nil
    }
    if let text = value("--admin") { return SocketAddress(withPort: text) }
    guard let base = Int(value("--admin-base") ?? "15000") else { return nil }
    return SocketAddress(v4: 0x7F00_0001, port: UInt16(clamping: base))
  }
}

extension SocketAddress {
  /// `ADDRESS:PORT`
  package init?(withPort text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      let address = SocketAddress(literal: String(text[..<colon]), port: port)
    else { return nil }
    self = address
  }
}
