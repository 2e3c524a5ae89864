/// What the gateway has to know of gRPC over HTTP/2.
package enum GRPC {
  /// The status that stands for an HTTP status of a local reply (`Grpc::Utility::httpToGrpcStatus`).
  package static func status(forHTTP status: Int) -> Int {
    switch status {
    case 400: return 13
    case 401: return 16
    case 403: return 7
    case 404: return 12
    case 429, 502, 503, 504: return 14
    default: return 2
    }
  }

  /// The HTTP status that stands for a gRPC one (`Grpc::Utility::grpcToHttpStatus`).
  package static func httpStatus(of code: Int) -> Int {
    switch code {
    case 0: return 200
    case 1: return 499
    case 3, 9, 11: return 400
    case 4: return 504
    case 5: return 404
    case 6, 10: return 409
    case 7: return 403
    case 8: return 429
    case 12: return 501
    case 14: return 503
    case 16: return 401
    default: return 500
    }
  }

  /// A deadline passed.
  package static let deadlineExceeded = 4

  /// `grpc-message`: what is not printable ASCII, and the percent sign, as %XX.
  static func percentEncoded(_ text: RawSpan) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for index in 0..<text.octets.count {
      let byte = text.octets[index]
      if byte >= 0x20, byte < 0x7F, byte != 0x25 {
        encoded.append(byte)
      } else {
        encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return encoded
  }
}

extension RequestHead {
  /// Whether this is a gRPC call: `content-type: application/grpc`, perhaps with a codec behind `+` or parameters.
  package var isGRPC: Bool {
    let range = headers.value(of: .contentType)
    guard range.count >= 16 else { return false }
    let value = bytes(range)
    guard value.extracting(first: 16).equalsIgnoringCase("application/grpc") else { return false }
    let octets = value.octets
    return octets.count == 16 || octets[16] == 0x2B || octets[16] == 0x3B
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
