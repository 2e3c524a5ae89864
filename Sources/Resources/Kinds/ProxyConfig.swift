/// networking.istio.io ProxyConfig: how many workers an instance has. Environment and image belong to the proxy's pod.
package struct ProxyConfig: Sendable {
  package var selector: [String: Located<String>]?
  /// 0 for one worker a processor.
  package var concurrency: Located<Int>?

  init(_ reader: FieldReader) {
    selector = reader.object("selector") { $0.stringMap("matchLabels") }
    concurrency = reader.integer("concurrency")
    _ = reader.stringMap("environmentVariables")
    _ = reader.object("image") { $0.string("imageType") }
    reader.notApplicable("environmentVariables", why: "the environment is that of the process")
    reader.notApplicable("image", why: "there is no other image to choose")
    if let selector { HostRules.checkSelector(selector, at: reader.keyLocation("selector"), reader.context) }
    if let concurrency, concurrency.value < 0 {
      reader.context.error("concurrency must be greater than or equal to 0", at: concurrency.location)
    }
  }
}
