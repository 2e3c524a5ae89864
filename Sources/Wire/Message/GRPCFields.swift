extension RequestHead {
  /// The request is a gRPC call: `content-type: application/grpc`, perhaps with `+proto` or parameters.
  package var isGRPC: Bool {
    let type = bytes(headers.value(of: .contentType))
    let name: StaticString = "application/grpc"
    guard type.hasPrefixIgnoringCase(name) else { return false }
    guard type.byteCount > name.utf8CodeUnitCount else { return true }
    let next = type.octets[name.utf8CodeUnitCount]
    return next == 0x2B || next == 0x3B  // + ;
  }

  /// `grpc-timeout` in milliseconds, rounded up; 0 when there is none, or none that can be understood.
  package var grpcTimeoutMilliseconds: Int {
    let value = bytes(headers.value(of: .grpcTimeout)).octets
    guard value.count >= 2, value.count <= 9 else { return 0 }
    var number = 0
    for index in 0..<(value.count - 1) {
      guard Octet.isDigit(value[index]) else { return 0 }
      number = number * 10 + Int(value[index] - 0x30)
    }
    switch value[value.count - 1] {
    case 0x48: return number * 3_600_000  // H
    case 0x4D: return number * 60_000  // M
    case 0x53: return number * 1000  // S
    case 0x6D: return number  // m
    case 0x75: return (number + 999) / 1000  // u
    case 0x6E: return (number + 999_999) / 1_000_000  // n
    default: return 0
    }
  }
}

extension ResponseHead {
  /// The `grpc-status` of a response that consists of its head; nil when there is none.
  package var grpcStatus: Int? { headers.grpcStatus }
}

extension HeaderBlock {
  /// The `grpc-status` among trailers, or in a head; nil when there is none.
  package var grpcStatus: Int? {
    let value = bytes.extracting(value(of: .grpcStatus).range).octets
    guard value.count == 1 || value.count == 2 else { return nil }
    var code = 0
    for index in 0..<value.count {
      guard Octet.isDigit(value[index]) else { return nil }
      code = code * 10 + Int(value[index] - 0x30)
    }
    return code
  }
}
