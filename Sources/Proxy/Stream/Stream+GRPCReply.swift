import Routing
import Wire

/// Local replies to gRPC calls: status 200 and the outcome in `grpc-status`, as Envoy answers them.
extension Stream {
  /// Answers with a gRPC status; others than gRPC callers get the HTTP status that stands for it.
  func reply(grpc code: Int, details: StaticString, body: StaticString) {
    guard request.isGRPC else { return reply(GRPCStatus.httpStatus(of: code), details: details, body: body) }
    beginReply(200, details: details)
    endGRPCReply(code, message: Array(body.description.utf8))
  }

  /// The status of the local reply that was begun: that of its HTTP status, or that the caller's own deadline passed.
  var grpcCode: Int {
    let isLate = flags.contains(.upstreamRequestTimeout) && request.grpcTimeoutMilliseconds > 0
    return isLate ? GRPCStatus.deadlineExceeded : GRPCStatus.code(ofHTTP: response.status)
  }

  /// Ends a local reply to a gRPC call; there is no body, its text becomes `grpc-message`.
  func endGRPCReply(_ code: Int, message: [UInt8]?) {
    response.status = 200
    response.headers.append(.contentType, "application/grpc")
    response.headers.append(.grpcStatus, code)
    if let message, !message.isEmpty {
      let encoded = GRPCStatus.percentEncoded(message)
      response.headers.append(.grpcMessage, encoded.span.raw)
    }
    finishReply(nil)
  }
}

/// gRPC's statuses and HTTP's, as Envoy translates them.
enum GRPCStatus {
  static let deadlineExceeded = 4

  /// The gRPC status for a local reply with an HTTP status.
  static func code(ofHTTP status: Int) -> Int {
    switch status {
    case 200: return 0
    case 400: return 13  // INTERNAL
    case 401: return 16  // UNAUTHENTICATED
    case 403: return 7  // PERMISSION_DENIED
    case 404: return 12  // UNIMPLEMENTED
    case 429, 502, 503, 504: return 14  // UNAVAILABLE
    default: return 2  // UNKNOWN
    }
  }

  /// The HTTP status for a gRPC one.
  static func httpStatus(of code: Int) -> Int {
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

  /// `grpc-message` carries visible ASCII but the percent sign; all else is percent-encoded.
  static func percentEncoded(_ message: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return message.flatMap { byte -> [UInt8] in
      guard !(0x20...0x7E).contains(byte) || byte == 0x25 else { return [byte] }
      return [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
}
