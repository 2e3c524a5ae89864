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
}

extension ResponseHead {
  /// The `grpc-status` of a response that consists of its head; nil when there is none.
  package var grpcStatus: Int? {
    let value = bytes(headers.value(of: .grpcStatus)).octets
    guard value.count == 1 || value.count == 2 else { return nil }
    var code = 0
    for index in 0..<value.count {
      guard Octet.isDigit(value[index]) else { return nil }
      code = code * 10 + Int(value[index] - 0x30)
    }
    return code
  }
}
