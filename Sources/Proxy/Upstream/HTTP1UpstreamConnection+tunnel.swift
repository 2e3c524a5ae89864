import Transport
import Wire

/// Bytes that pass as they are, after an upgrade or a CONNECT: each direction ends by itself.
extension HTTP1UpstreamConnection {
  /// Grants a CONNECT: the endpoint gets the client's bytes and knows nothing of HTTP (Envoy's `connect_config`).
  func beginTunnel(_ stream: Stream) {
    isTunnel = true
    isPersistent = false
    responseBegan = true
    reader.begin(.untilClose)
    writer.begin(.untilClose)
    phase = .readingBody
    stream.response.becomeTunnel()
    _ = stream.responseArrived()
  }

  /// The upstream sends no more. What the client has to say goes on.
  func tunnelEndedByUpstream() {
    guard !tunnelInputEnded else { return }
    tunnelInputEnded = true
    if tunnelOutputEnded { return tunnelEnded() }
    stream?.with { $0.tunnelResponseEnded() }
  }

  /// Ends what the upstream gets, when all of it is sent.
  func endTunnelOutput() {
    guard !tunnelOutputEnded else { return }
    endOutput()
    // What the kernel did not take yet goes first; `outputDrained()` comes back here.
    guard state == .open, output.isEmpty else { return }
    tunnelOutputEnded = true
    if tunnelInputEnded { tunnelEnded() }
  }

  func tunnelEnded() {
    if let stream { responseEnded(stream) }
  }
}
