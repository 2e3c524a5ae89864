/// Puts overlay patches of readiness probes together: a patch replaces a whole probe, or one of its fields.
struct PatchedProbes {
  private var probesByContainer: [(container: String, probe: ReadinessProbe)] = []

  /// The probes that result, in the order of their first patches.
  var probes: [ReadinessProbe] { probesByContainer.map(\.probe) }

  /// Applies one patch; what does not concern a readiness probe is left alone.
  mutating func apply(_ patch: FieldReader, at path: String) {
    guard let marker = path.range(ofWord: "readinessProbe") else { return }
    let container = String(path[..<marker.lowerBound])
    let field = String(path[marker.upperBound...].drop { $0 == "." })
    // Inside a patch are Kubernetes' own types.
    let wasLenient = patch.isLenient
    patch.isLenient = true
    defer { patch.isLenient = wasLenient }
    let index = probesByContainer.firstIndex { $0.container == container }
    if field.isEmpty {
      // A patch without a value takes the probe away.
      let probe = patch.object("value", ReadinessProbe.init)
      if let index { probesByContainer.remove(at: index) }
      if let probe { probesByContainer.append((container, probe)) }
      return
    }
    var probe = index.map { probesByContainer[$0].probe } ?? ReadinessProbe.ofIstioGateway(at: patch.location)
    guard probe.set(field, from: patch) else { return }
    if let index { probesByContainer[index].probe = probe } else { probesByContainer.append((container, probe)) }
  }
}

extension String {
  /// Where a word stands as a whole segment of a dotted path.
  fileprivate func range(ofWord word: String) -> Range<String.Index>? {
    guard let range = self.firstRange(of: word) else { return nil }
    let isStart = range.lowerBound == startIndex || self[index(before: range.lowerBound)] == "."
    let isEnd = range.upperBound == endIndex || self[range.upperBound] == "."
    return isStart && isEnd ? range : nil
  }
}

extension ReadinessProbe {
  /// The probe that Istio's installer gives a gateway: its own readiness.
  static func ofIstioGateway(at location: SourceLocation) -> ReadinessProbe {
    ReadinessProbe(
      location: location, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1,
      failureThreshold: 30)
  }

  /// Sets the field of a patch's path (`exec.command`, `periodSeconds`) from its `value`; whether there is such a
  /// field.
  fileprivate mutating func set(_ field: String, from patch: FieldReader) -> Bool {
    switch field {
    case "exec": command = patch.object("value") { $0.strings("command") } ?? []
    case "exec.command": command = patch.strings("value")
    case "httpGet": httpGet = patch.object("value", HTTPGet.init)
    case "initialDelaySeconds": initialDelaySeconds = patch.integer("value")?.value ?? initialDelaySeconds
    case "periodSeconds": periodSeconds = patch.integer("value")?.value ?? periodSeconds
    case "timeoutSeconds": timeoutSeconds = patch.integer("value")?.value ?? timeoutSeconds
    case "successThreshold": successThreshold = patch.integer("value")?.value ?? successThreshold
    case "failureThreshold": failureThreshold = patch.integer("value")?.value ?? failureThreshold
    default: return false
    }
    return true
  }
}
