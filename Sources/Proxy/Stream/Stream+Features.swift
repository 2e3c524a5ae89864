import Routing
import Transport
import Wire

/// What few routes ask for before a request is acted on, in the order of Istio's filters: fault, then CORS.
extension Stream {
  /// Delays the request, or goes on at once.
  func beginFeatures(in generation: WorkerGeneration) {
    if requestEnded { noteRequestEnd() }
    guard route.features.contains(.fault), let fault = generation.snapshot.extras(of: route)?.fault,
      fault.delayMilliseconds > 0, happens(fault.delayShare)
    else { return afterDelay(in: generation) }
    flags.insert(.delayInjected)
    state = .delayed
    loop.arm(&backOffTimer, after: Int64(fault.delayMilliseconds), owner: self, tag: Timer.fault)
  }

  /// The injected delay is over.
  func delayEnded() {
    guard state == .delayed else { return }
    state = .routing
    generation?.with { afterDelay(in: $0) }
    // The route's timeout does not count what was injected before it.
    if requestEnded { armRouteTimer() }
  }

  /// The request is there, as `upstream_rq_time` counts it.
  func noteRequestEnd() {
    if route.features.contains(.statistics) { requestEndNanoseconds = loop.nowNanoseconds }
  }

  private func afterDelay(in generation: WorkerGeneration) {
    guard route.extras >= 0 else { return act(in: generation) }
    let extras = generation.snapshot.routeExtras[Int(route.extras)]
    if let fault = extras.fault, let abort = fault.abort, happens(fault.abortShare) {
      flags.insert(.faultInjected)
      return self.abort(abort)
    }
    if let rules = extras.cors, answersPreflight(rules, generation.snapshot) { return }
    act(in: generation)
  }

  private func abort(_ abort: Fault.Abort) {
    switch abort {
    case .http(let status): reply(status, details: "fault_filter_abort", body: "fault filter abort")
    case .grpc(let code): reply(grpc: code, details: "fault_filter_abort", body: "fault filter abort")
    }
  }

  /// Whether something happens to this request that happens to `share` of a million.
  func happens(_ share: Int32) -> Bool {
    share > 0 && worker.with { $0.random.below(Fault.whole) } < Int(share)
  }

  // MARK: CORS

  /// Answers a preflight; else remembers whether the response has to be marked.
  private func answersPreflight(_ rules: CORSRules, _ snapshot: Snapshot) -> Bool {
    let verdict = worker.with { snapshot.corsVerdict(rules, request, $0.matchContext) }
    switch verdict {
    case .none: return false
    case .allowed:
      isCrossOrigin = true
      return false
    case .preflight:
      beginReply(200, details: "cors_response")
      rules.answerPreflight(&response, to: request)
      endReply(nil)
      return true
    case .ignoredPreflight:
      reply(200, details: "cors_response")
      return true
    }
  }

  /// Tells the page of another origin that it may see the response.
  func markCrossOrigin() {
    guard let rules = generation?.with({ $0.snapshot.extras(of: route)?.cors }) else { return }
    rules.mark(&response, of: request)
  }
}
