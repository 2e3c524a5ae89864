/// The messages of `grpc.health.v1.Health`, which are too small for a library: one string there, one number back.
enum GRPCHealth {
  static let path = "/grpc.health.v1.Health/Check"

  /// `HealthCheckRequest{service}` with gRPC's prefix: not compressed, four bytes of length.
  static func request(_ service: String) -> [UInt8] {
    let name = Array(service.utf8.prefix(127))
    let message: [UInt8] = name.isEmpty ? [] : [0x0A, UInt8(name.count)] + name
    return [0, 0, 0, 0, UInt8(message.count)] + message
  }

  /// Why an answer is not `SERVING`; nil when it is.
  static func problem(grpcStatus: Int?, answer: [UInt8]) -> String? {
    guard let grpcStatus else { return "the answer has no grpc-status" }
    guard grpcStatus == 0 else { return "gRPC status \(grpcStatus)\(grpcStatus == 5 ? " (unknown service)" : "")" }
    // HealthCheckResponse{status}: field 1, a varint; absent means UNKNOWN.
    guard answer.count >= 7, answer[0] == 0, answer[5] == 0x08 else { return "health status UNKNOWN" }
    switch answer[6] {
    case 1: return nil
    case 2: return "health status NOT_SERVING"
    case 3: return "health status SERVICE_UNKNOWN"
    default: return "health status UNKNOWN"
    }
  }
}
