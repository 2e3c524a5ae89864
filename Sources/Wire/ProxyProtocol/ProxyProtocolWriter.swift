/// Writes PROXY protocol headers.
package enum ProxyProtocolWriter {
  /// No header that is written here is longer, in bytes.
  package static let maxBytes = 108

  /// Writes a header; returns its length. Addresses of two families are both written as IPv6, the IPv4 one inside.
  /// `output` must have room for `maxBytes`.
  package static func write(_ header: ProxyProtocolHeader, into output: inout MutableRawSpan) -> Int {
    var writer = ByteWriter()
    switch header.version {
    case .v1: writeLine(header.addresses, &writer, into: &output)
    case .v2: writeBinary(header.addresses, &writer, into: &output)
    }
    return writer.position
  }

  private static func writeLine(
    _ addresses: ProxyProtocolHeader.Addresses?, _ writer: inout ByteWriter, into output: inout MutableRawSpan
  ) {
    guard let addresses = addresses?.ofOneFamily else { return writer.write("PROXY UNKNOWN\r\n", into: &output) }
    writer.write(addresses.source.address.isV4 ? "PROXY TCP4 " : "PROXY TCP6 ", into: &output)
    addresses.source.address.write(&writer, into: &output)
    writer.write(" ", into: &output)
    addresses.destination.address.write(&writer, into: &output)
    writer.write(" ", into: &output)
    writer.write(decimal: Int(addresses.source.port), into: &output)
    writer.write(" ", into: &output)
    writer.write(decimal: Int(addresses.destination.port), into: &output)
    writer.write("\r\n", into: &output)
  }

  private static func writeBinary(
    _ addresses: ProxyProtocolHeader.Addresses?, _ writer: inout ByteWriter, into output: inout MutableRawSpan
  ) {
    let signature = ProxyProtocolReader.signature
    writer.write(signature.span.raw, into: &output)
    guard let addresses = addresses?.ofOneFamily else {
      // LOCAL: the connection is the sender's own.
      write(0x2000_0000, bytes: 4, &writer, into: &output)
      return
    }
    let isV4 = addresses.source.address.isV4
    write(isV4 ? 0x2111_000C : 0x2121_0024, bytes: 4, &writer, into: &output)
    for address in [addresses.source.address, addresses.destination.address] {
      if !isV4 { write(address.high, bytes: 8, &writer, into: &output) }
      write(address.low, bytes: isV4 ? 4 : 8, &writer, into: &output)
    }
    write(UInt64(addresses.source.port), bytes: 2, &writer, into: &output)
    write(UInt64(addresses.destination.port), bytes: 2, &writer, into: &output)
  }

  /// A number in network order.
  private static func write(
    _ number: UInt64, bytes: Int, _ writer: inout ByteWriter, into output: inout MutableRawSpan
  ) {
    for place in 0..<bytes {
      writer.write(UInt8(truncatingIfNeeded: number >> UInt64((bytes - 1 - place) * 8)), into: &output)
    }
  }
}

extension ProxyProtocolHeader.Addresses {
  /// Both in the same family.
  fileprivate var ofOneFamily: Self {
    guard source.address.isV4 != destination.address.isV4 else { return self }
    return Self(
      source: .init(address: source.address.mapped, port: source.port),
      destination: .init(address: destination.address.mapped, port: destination.port))
  }
}

extension IPAddress {
  /// As IPv6: `::ffff:10.0.0.1` for an IPv4 address.
  fileprivate var mapped: IPAddress { isV4 ? IPAddress(v6High: 0, low: 0xFFFF_0000_0000 | low) : self }
}
