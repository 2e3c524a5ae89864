import Routing
import Transport
import Wire

/// An `httpGet` probe in HTTP/1.1.
final class HTTP1ProbeConnection: ProbeConnection {
  private var parser = HTTP1HeadParser()
  private var response = ResponseHead()

  override func connectionOpened() {
    guard case .httpGet(let request) = probe.kind else { return }
    if send(request.span.raw) < request.count { judge("the request does not fit into one write") }
  }

  override func inputAvailable() {
    switch withInput({ parser.parseResponse($0, requestMethod: .get, into: &response, limits: HTTP1Limits()) }) {
    case .needMore:
      if inputEnded { judge("the connection was closed before a response came") }
    case .refused(let refusal): judge("malformed response: \(refusal.detail)")
    case .complete(let consumed):
      input.consume(consumed)
      if response.status < 200 {
        parser.reset()
        return inputAvailable()
      }
      judge(Self.problem(withStatus: response.status))
    }
  }

  /// Kubernetes' rule: 200 to 399 is success.
  static func problem(withStatus status: Int) -> String? {
    (200..<400).contains(status) ? nil : "HTTP status \(status)"
  }
}
