import Transport
import Wire

extension Connection {
  /// Tells the upstream whose connection this is, before anything else goes out.
  func sendProxyHeader(_ header: ProxyProtocolHeader) {
    var text = InlineArray<108, UInt8>(repeating: 0)
    var span = text.mutableSpan
    var bytes = unsafe span.mutableBytes
    let count = ProxyProtocolWriter.write(header, into: &bytes)
    sendFirst(text.span.raw.extracting(first: count))
  }
}
