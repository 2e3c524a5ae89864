import Testing

@testable import Transport

@Suite("Unix-domain sockets")
struct UnixSocketTests {
  @Test(
    "an address is its path, and equal to itself alone",
    arguments: ["/run/app.sock", "@abstract", "/" + String(repeating: "x", count: 106)])
  func paths(path: String) throws {
    let address = try #require(SocketAddress(named: "unix://\(path)", port: 0))
    #expect(address.family == .unix)
    #expect(address.description == path && address.host == path)
    #expect(address == SocketAddress(unixPath: path))
    #expect(address != SocketAddress(unixPath: path + "2") && address.withPort(80) == address)
    #expect(!address.isPrivate)
  }

  @Test(
    "what is longer than a socket's path may be is no address", arguments: ["", String(repeating: "x", count: 108)])
  func lengths(path: String) {
    #expect(SocketAddress(named: "unix://\(path)", port: 0) == nil)
  }

  @Test("other addresses are read as before")
  func others() {
    #expect(SocketAddress(named: "127.0.0.1", port: 80)?.description == "127.0.0.1:80")
    #expect(SocketAddress(named: "example.com", port: 80) == nil)
  }

  @Test("the kernel's form has the path, or an abstract name behind a zero byte", arguments: ["/run/x", "@x"])
  func kernelForm(path: String) throws {
    let address = try #require(SocketAddress(unixPath: path))
    let (storage, length) = address.storage
    #expect(Int(length) == 2 + path.utf8.count + (path.hasPrefix("@") ? 0 : 1))
    #expect(SocketAddress(storage, length: length) == address)
  }

  @Test("a peer's path that the configuration does not have is nameless")
  func unknownPeers() throws {
    let known = try #require(SocketAddress(unixPath: "/run/known"))
    var (storage, length) = known.storage
    unsafe withUnsafeMutableBytes(of: &storage) { bytes in unsafe bytes[3] = 0x7A }
    let peer = try #require(SocketAddress(storage, length: length))
    #expect(peer.description == "" && peer.family == .unix)
  }
}
