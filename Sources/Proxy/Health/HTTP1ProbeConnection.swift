import Routing
import Transport
import Wire

/// An `httpGet` probe in HTTP/1.1.
final class HTTP1ProbeConnection: ProbeConnection {
  private var parser = HTTP1HeadParser()
  private var response = ResponseHead()
  /// The head said failure; the body may say why.
  private var problem: String?
  /// Bytes of the body that are looked at.
  private static let reasonBytes = 512

  override func connectionOpened() {
    guard case .httpGet(let request) = probe.kind else { return }
    if send(request.span.raw) < request.count { judge("the request does not fit into one write") }
  }

  override func inputAvailable() {
    if problem != nil { return readReason() }
    switch withInput({ parser.parseResponse($0, requestMethod: .get, into: &response, limits: HTTP1Limits()) }) {
    case .needMore:
      if input.isFull, !input.reserve(1) {
        return judge("malformed response: \(HTTP1Refusal.headersTooLarge.responseDetail)")
      }
      if inputEnded { judge("the connection was closed before a response came") }
    case .refused(let refusal): judge("malformed response: \(refusal.responseDetail)")
    case .complete(let consumed):
      input.consume(consumed)
      if response.status < 200 {
        parser.reset()
        return inputAvailable()
      }
      problem = Self.problem(withStatus: response.status)
      if problem == nil { judge(nil) } else { readReason() }
    }
  }

  /// A gateway's own health port, and many others, say in the body what is wrong: a chain states at its front the reason
  /// that its last link has.
  private func readReason() {
    guard let problem else { return }
    let expected = if case .length(let count) = response.framing { min(count, Self.reasonBytes) } else { 0 }
    guard input.count >= expected || inputEnded else { return }
    let text = withInput { Self.reason($0.extracting(first: min(expected, $0.byteCount))) }
    judge(text.isEmpty ? problem : "\(problem): \(text)")
  }

  /// The lines of a body as one, in printable ASCII.
  private static func reason(_ body: RawSpan) -> String {
    let octets = body.octets
    var text: [UInt8] = []
    for index in 0..<octets.count {
      let byte = octets[index]
      text.append(byte >= 0x20 && byte < 0x7F ? byte : byte == 0x0A ? 0x0A : 0x20)
    }
    let lines = text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    return lines.joined(separator: "; ")
  }

  /// Kubernetes' rule: 200 to 399 is success.
  static func problem(withStatus status: Int) -> String? {
    (200..<400).contains(status) ? nil : "HTTP status \(status)"
  }
}
