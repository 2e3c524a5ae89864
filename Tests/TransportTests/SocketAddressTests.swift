import Testing

@testable import Transport

@Suite struct SocketAddressTests {
  @Test(arguments: ["127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::ff", "fe80::1"])
  func `writes what it reads`(_ text: String) throws {
    let address = try #require(SocketAddress(literal: text, port: 8443))
    #expect(address.host == text)
    var bytes = [UInt8](repeating: 0, count: 64)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    let count = address.write(into: &raw)
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == address.description)
    let (storage, _) = address.storage
    #expect(SocketAddress(storage) == address)
  }

  @Test func `knows private ranges`() {
    for text in [
      "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1",
      "fe80::1", "::ffff:10.0.0.1",
    ] {
      #expect(SocketAddress(literal: text, port: 0)?.isPrivate == true, "\(text)")
    }
    for text in ["8.8.8.8", "172.32.0.1", "203.0.113.1", "2001:db8::1"] {
      #expect(SocketAddress(literal: text, port: 0)?.isPrivate == false, "\(text)")
    }
  }

  @Test func `takes no names for addresses`() {
    #expect(SocketAddress(literal: "example.com", port: 1) == nil)
    #expect(SocketAddress(literal: "1.2.3", port: 1) == nil)
  }
}
