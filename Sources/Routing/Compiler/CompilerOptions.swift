/// What the command line says about sockets.
package struct CompilerOptions: Sendable {
  /// Gateway port → local port (`--publish LOCAL:GATEWAY`).
  package var publish: [Int: Int] = [:]
  /// Instead of all addresses (`--bind`).
  package var bindAddress: String?

  package init() {}
}
