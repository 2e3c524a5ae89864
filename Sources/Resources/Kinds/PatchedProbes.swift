/// Puts overlay patches of readiness probes together: a patch replaces a whole probe, or one of its fields.
struct PatchedProbes {
  private var probesByContainer: [(container: String, probe: ReadinessProbe)] = []

  /// The probes that result, in the order of their first patches.
  var probes: [ReadinessProbe] { probesByContainer.map(\.probe) }

  /// Applies one patch; what does not concern a readiness probe is left alone.
  mutating func apply(_ patch: FieldReader, at path: String, _ place: SourceLocation) {
    guard let marker = path.range(ofWord: "readinessProbe") else { return applyContainer(patch, at: path) }
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
    guard probe.set(field, from: patch) else {
      return patch.context.report(
        .warning, "a patch of readinessProbe.\(field) is not acted on", at: place, code: "SP1001",
        help: "patch exec, exec.command or the whole readinessProbe")
    }
    if let index { probesByContainer[index].probe = probe } else { probesByContainer.append((container, probe)) }
  }

  /// A patch of a whole container, which may bring a probe.
  private mutating func applyContainer(_ patch: FieldReader, at path: String) {
    let last = path.split(separator: ".").last ?? ""
    guard last.hasPrefix("containers[") || path.hasSuffix("]") && path.contains("spec.containers.[") else { return }
    let wasLenient = patch.isLenient
    patch.isLenient = true
    defer { patch.isLenient = wasLenient }
    guard case .some(.some(let probe)) = patch.object("value", { $0.object("readinessProbe", ReadinessProbe.init) })
    else { return }
    probesByContainer.removeAll { $0.container == path + "." }
    probesByContainer.append((path + ".", probe))
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
    case "initialDelaySeconds": Self.patch(&initialDelaySeconds, field, 0, patch)
    case "periodSeconds": Self.patch(&periodSeconds, field, 1, patch)
    case "timeoutSeconds": Self.patch(&timeoutSeconds, field, 1, patch)
    case "successThreshold": Self.patch(&successThreshold, field, 1, patch)
    case "failureThreshold": Self.patch(&failureThreshold, field, 1, patch)
    default:
      // What the kubelet asks of the pod itself is no matter of ours.
      let first = field.prefix { $0 != "." && $0 != "[" }
      return ["httpGet", "tcpSocket", "grpc", "terminationGracePeriodSeconds"].contains(String(first))
    }
    return true
  }

  private static func patch(_ value: inout Int, _ name: String, _ minimum: Int, _ patch: FieldReader) {
    value = number(patch, name, in: "value", default: value, minimum: minimum)
  }
}
