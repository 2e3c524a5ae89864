/// Unix-domain sockets in the words of Envoy's admin endpoints, where they are pipes.
enum Pipe {
  /// How resources and istioctl write them.
  static let prefix = "unix://"

  /// The path or `@name` of an address that is a unix-domain socket; nil for others.
  static func path(_ address: String) -> String? {
    address.hasPrefix(prefix) ? String(address.dropFirst(prefix.count)) : nil
  }

  /// Envoy's `Address`: a pipe, or a socket address.
  static func address(_ host: String, _ port: Int) -> JSON {
    if let path = path(host) { return .object([("pipe", .object([("path", .string(path))]))]) }
    return .object([("socket_address", .object([("address", .string(host)), ("port_value", .number(port))]))])
  }
}
