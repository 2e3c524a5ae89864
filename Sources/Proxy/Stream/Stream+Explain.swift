import Routing
import Wire

/// The live side of `sallyport explain`: the same engine, the same text, for the request that asks for it.
extension Stream {
  /// Logs how this request is treated, if it carries a token that the admin port handed out. Called with the request as
  /// it came, before its path is normalised.
  func explainIfAsked(in generation: WorkerGeneration) {
    let index = request.headers.firstIndex(of: .sallyportExplain)
    guard index >= 0 else { return }
    let token = Array(request.text(request.headers.field(at: index).value).utf8)
    guard worker.with({ $0.explainTokens.accepts(token, now: loop.nowNanoseconds) }) else { return }
    let sample = SampleRequest(request, isTLS: source.isTLS, port: Int(source.local.port))
    let explanation = Explainer(generation.snapshot, inspect: CertificateInspection.inspector).explain(
      sample, listener: source.listener, chain: source.isTLS ? source.chain : nil)
    worker.with { $0.services.log(.info, "explain", ExplanationText.text(sample, [explanation])) }
  }
}
