import Testing

@testable import Wire

@Suite struct ProxyProtocolTests {
  private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

  private func read(_ bytes: [UInt8]) -> ProxyProtocolReader.Reading { ProxyProtocolReader.read(bytes.span.raw) }

  private func text(_ address: IPAddress) -> String {
    var output = [UInt8](repeating: 0, count: IPAddress.maxTextBytes)
    let count = write(address, &output)
    return String(decoding: output.prefix(count), as: UTF8.self)
  }

  private func write(_ address: IPAddress, _ output: inout [UInt8]) -> Int {
    var span = output.mutableSpan
    var bytes = unsafe span.mutableBytes
    var writer = ByteWriter()
    address.write(&writer, into: &bytes)
    return writer.position
  }

  private func write(_ header: ProxyProtocolHeader) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ProxyProtocolWriter.maxBytes)
    let count = write(header, &output)
    return Array(output.prefix(count))
  }

  private func write(_ header: ProxyProtocolHeader, _ output: inout [UInt8]) -> Int {
    var span = output.mutableSpan
    var bytes = unsafe span.mutableBytes
    return ProxyProtocolWriter.write(header, into: &bytes)
  }

  /// `source destination`, `-` without addresses, nil when it is not read; and how much was read.
  private func summary(_ bytes: [UInt8]) -> (text: String, consumed: Int)? {
    guard case .parsed(let header, let consumed) = read(bytes) else { return nil }
    guard let addresses = header.addresses else { return ("-", consumed) }
    let ends = [addresses.source, addresses.destination].map { "\(text($0.address)) \($0.port)" }
    return (ends.joined(separator: " "), consumed)
  }

  @Test(arguments: [
    ("PROXY TCP4 192.168.0.1 10.0.0.11 56324 443\r\n", "192.168.0.1 56324 10.0.0.11 443"),
    ("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0 0 255.255.255.255 65535"),
    ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1 1 ::1 2"),
    ("PROXY TCP6 ::FFFF:10.0.0.1 FE80:0:0:0:1:0:0:2 1 2\r\n", "::ffff:a00:1 1 fe80::1:0:0:2 2"),
    ("PROXY UNKNOWN\r\n", "-"), ("PROXY UNKNOWN 1 2 3 whatever\r\n", "-"),
  ])
  func `reads version 1`(_ line: String, _ expected: String) throws {
    let result = try #require(summary(Array((line + "GET / HTTP/1.1\r\n").utf8)))
    #expect(result.text == expected && result.consumed == line.utf8.count)
    for count in 0..<line.utf8.count {
      guard case .needMore(let total) = read(Array(line.utf8.prefix(count))) else {
        #expect(Bool(false), "\(count) bytes were enough")
        continue
      }
      #expect(total > count && total <= line.utf8.count)
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\n\r\n", "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
    "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
    "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n",
    "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 256.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 ::1 2.2.2.2 1 2\r\n",
    "PROXY TCP6 1.1.1.1 ::1 1 2\r\n", "PROXY TCP6 ::1 :::1 1 2\r\n", "PROXY TCP6 1::2::3 ::1 1 2\r\n",
    "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "PROXY TCP6 12345::1 ::1 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", "PROXY TCP6 ::1: ::1 1 2\r\n", "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
    "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
    "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
    "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", "PROXY \r\n", "PROXY TCP4\r\n", "PROXYTCP4 1.1.1.1 2.2.2.2 1 2\r\n",
    "P\u{0}",
  ])
  func `refuses lines that are not version 1`(_ line: String) {
    #expect(read(Array(line.utf8)) == .refused)
  }

  @Test func `reads no longer line than version 1 has`() {
    #expect(read(Array("PROXY UNKNOWN \(String(repeating: "x", count: 91))\r\n".utf8)) != .refused)
    #expect(read(Array("PROXY UNKNOWN \(String(repeating: "x", count: 92))\r\n".utf8)) == .refused)
    #expect(read(Array("PROXY UNKNOWN \(String(repeating: "x", count: 500))".utf8)) == .refused)
  }

  @Test func `reads version 2`() throws {
    let v4: [UInt8] = [10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 187]
    let four = try #require(summary(Self.signature + [0x21, 0x11, 0, 12] + v4 + [1, 2]))
    #expect(four.text == "10.0.0.1 80 10.0.0.2 443" && four.consumed == 28)
    let v6: [UInt8] =
      [0x20, 1] + [UInt8](repeating: 0, count: 13) + [1] + [UInt8](repeating: 0, count: 15) + [2, 0, 1, 0, 2]
    let six = try #require(summary(Self.signature + [0x21, 0x21, 0, 36] + v6))
    #expect(six.text == "2001::1 1 ::2 2" && six.consumed == 52)
    let extended = try #require(summary(Self.signature + [0x21, 0x11, 0, 20] + v4 + [4, 0, 1, 0, 0xEA, 0, 1, 7]))
    #expect(extended.text == "10.0.0.1 80 10.0.0.2 443" && extended.consumed == 36)
    let unix = try #require(summary(Self.signature + [0x21, 0x31, 0, 216] + [UInt8](repeating: 0, count: 216)))
    #expect(unix.text == "-" && unix.consumed == 232)
  }

  @Test func `a sender that speaks for itself names nobody`() throws {
    for family: UInt8 in [0x00, 0x11, 0xFF] {
      let result = try #require(summary(Self.signature + [0x20, family, 0, 3, 1, 2, 3]))
      #expect(result.text == "-" && result.consumed == 19)
    }
  }

  @Test func `asks for version 2 as a whole`() {
    let bytes = Self.signature + [0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 187]
    for count in 1..<bytes.count {
      #expect(read(Array(bytes[..<count])) == .needMore(total: count < 16 ? 16 : 28))
    }
  }

  @Test(
    arguments: [
      [0x11, 0x11, 0, 12], [0x31, 0x11, 0, 12], [0x22, 0x11, 0, 12], [0x21, 0x12, 0, 12], [0x21, 0x22, 0, 36],
      [0x21, 0x11, 0, 11], [0x21, 0x21, 0, 12], [0x21, 0x11, 0, 13], [0x21, 0x11, 0, 14], [0x21, 0x41, 0, 12],
      [0x21, 0x11, 0x0F, 0xF1],
    ] as [[UInt8]])
  func `refuses version 2 with`(_ head: [UInt8]) {
    let length = Int(head[2]) << 8 | Int(head[3])
    #expect(read(Self.signature + head + [UInt8](repeating: 9, count: length)) == .refused)
  }

  @Test func `refuses TLVs that do not end with the header`() {
    let v4: [UInt8] = [10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 187]
    #expect(read(Self.signature + [0x21, 0x11, 0, 16] + v4 + [4, 0, 2, 0]) == .refused)
    #expect(read(Self.signature + [0x21, 0x11, 0, 14] + v4 + [4, 0]) == .refused)
  }

  @Test func `writes what it reads`() throws {
    let source = ProxyProtocolHeader.Endpoint(address: IPAddress(v4: 0x7F00_0001), port: 1234)
    let destination = ProxyProtocolHeader.Endpoint(address: IPAddress(v4: 0x0A00_0001), port: 443)
    let six = ProxyProtocolHeader.Endpoint(address: IPAddress(v6High: 0x2001_0DB8_0000_0000, low: 1), port: 65535)
    let addresses: [ProxyProtocolHeader.Addresses?] = [
      nil, .init(source: source, destination: destination), .init(source: six, destination: six),
    ]
    for version in [ProxyProtocolHeader.Version.v1, .v2] {
      for addresses in addresses {
        let header = ProxyProtocolHeader(version: version, addresses: addresses)
        let bytes = write(header)
        #expect(read(bytes) == .parsed(header, consumed: bytes.count))
      }
    }
    let mixed = write(.init(version: .v1, addresses: .init(source: source, destination: six)))
    #expect(String(decoding: mixed, as: UTF8.self) == "PROXY TCP6 ::ffff:7f00:1 2001:db8::1 1234 65535\r\n")
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
    ("10.1.2.3", "10.1.2.4", false), ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false),
    ("::/0", "::1", true), ("::/0", "1.2.3.4", false), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
    ("2001:db8::/96", "2001:db8::1.2.3.4", true), ("2001:db8::/96", "2001:db8::1:0:0", false),
    ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("10.0.0.1/31", "10.0.0.0", true),
  ])
  func `ranges of addresses`(_ range: String, _ address: String, _ isInside: Bool) throws {
    let prefix = try #require(IPPrefix(range))
    let other = try #require(IPAddress(address))
    #expect(prefix.contains(other) == isInside)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "/8", "", "10.0.0/8", "10.0.0.0/8/8"])
  func `refuses ranges that are none`(_ text: String) {
    #expect(IPPrefix(text) == nil)
  }
}
