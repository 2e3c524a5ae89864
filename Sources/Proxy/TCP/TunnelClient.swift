import Routing
import Wire

/// How a forward proxy is asked for the real target: CONNECT (RFC 9110, section 9.3.6), or Envoy's POST, whose bodies carry
/// the bytes in chunks both ways.
final class TunnelClient {
  /// The request, whole.
  let request: [UInt8]
  /// Bytes travel in bodies, not as they are.
  let usesPOST: Bool
  var reader = HTTP1BodyReader()
  var writer = HTTP1BodyWriter()
  private var parser = HTTP1HeadParser()
  private var response = ResponseHead()
  private var informationalCount = 0

  /// Interim responses before the final one; more is an attack.
  private static let informationalLimit = 32

  /// What the proxy has said so far.
  enum Answer {
    case needMore
    /// Bytes may flow behind `consumed` bytes.
    case granted(consumed: Int)
    case refused(String)
  }

  init(_ tunnel: Cluster.Tunnel) {
    usesPOST = tunnel.usesPOST
    let line = tunnel.usesPOST ? "POST / HTTP/1.1" : "CONNECT \(tunnel.target) HTTP/1.1"
    let coding = tunnel.usesPOST ? "transfer-encoding: chunked\r\n" : ""
    request = Array("\(line)\r\nhost: \(tunnel.target)\r\n\(coding)\r\n".utf8)
    if tunnel.usesPOST { writer.begin(.chunked) }
  }

  /// Reads the proxy's answer from the beginning of `input`.
  func read(_ input: RawSpan) -> Answer {
    var consumed = 0
    while true {
      let progress = parser.parseResponse(
        input.extracting(droppingFirst: consumed), requestMethod: usesPOST ? .post : .connect, into: &response,
        limits: HTTP1Limits())
      switch progress {
      case .needMore: return .needMore
      case .refused(let refusal): return .refused("the forward proxy's answer is malformed: \(refusal.responseDetail)")
      case .complete(let count):
        consumed += count
        if let answer = judge(consumed) { return answer }
      }
    }
  }

  /// nil: an interim response, another one follows.
  private func judge(_ consumed: Int) -> Answer? {
    let status = response.status
    if (100..<200).contains(status), status != 101 {
      informationalCount += 1
      guard informationalCount <= Self.informationalLimit else {
        return .refused("the forward proxy sent too many interim responses")
      }
      response.reset()
      parser.reset()
      return nil
    }
    guard (200..<300).contains(status) else { return .refused("the forward proxy answered \(status)") }
    if usesPOST { reader.begin(response.framing) }
    return .granted(consumed: consumed)
  }
}
