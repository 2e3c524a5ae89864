/// How large a message head may be. The defaults are those of Istio's gateway (Envoy: 60 KiB, 100 fields).
package struct HTTP1Limits: Sendable {
  /// The whole head: start line and fields.
  package var maxHeaderBytes = 60 * 1024
  package var maxHeaderCount = 100
  /// The request line alone, so that its excess gets 414 and not 431.
  package var maxRequestLineBytes = 32 * 1024

  package init() {}
}
