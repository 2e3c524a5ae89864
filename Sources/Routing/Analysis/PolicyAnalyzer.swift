import Resources

/// Policies that would do nothing, or get into each other's way, on any gateway.
enum PolicyAnalyzer {
  /// The label of instances that the Gateway API's controllers make.
  private static let generatedLabel = "gateway.networking.k8s.io/gateway-name"

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.policyScopes.flatMap { selection($0, context) + targets($0) } + namespaces(context)
      + logging(context.resources.telemetries) + conflicts(context)
  }

  /// The known instances that a policy of a namespace can be for.
  private static func instances(_ namespace: String, _ context: AnalysisContext) -> [InstanceIdentity] {
    let reach = PolicyReach(context.resources)
    return context.knownInstances.filter { reach.reaches($0, from: namespace) }
  }

  /// IST0127, where the policy can only be for instances that are known; IST0166; SP1015.
  private static func selection(_ policy: Resource<PolicyScope>, _ context: AnalysisContext) -> [Diagnostic] {
    guard policy.spec.targetsLocation == nil else { return [] }
    let labels = policy.spec.selector.mapValues(\.value)
    let place = policy.spec.selector.values.map(\.location).min { ($0.line, $0.column) < ($1.line, $1.column) }
    let known = instances(policy.metadata.namespace, context)
    let selected = known.filter { $0.matches(labels) }
    if selected.isEmpty, !known.isEmpty, policy.kind == "AuthorizationPolicy" {
      let text = labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
      return [
        MessageCatalog.finding(
          "IST0127", "No matching workloads for this resource with the following labels: \(text)", at: place,
          resource: policy.description, help: nearest(labels, known))
      ]
    }
    if selected.isEmpty {
      return [
        MessageCatalog.finding(
          "SP1015", "\(policy.kind) does not apply to a gateway: it is for none of the instances that are known here",
          at: place ?? policy.metadata.nameLocation, resource: policy.description)
      ]
    }
    let generated = selected.lazy.compactMap { $0.labels[generatedLabel] }.first
    guard let generated, !labels.isEmpty else { return [] }
    return [
      MessageCatalog.finding(
        "IST0166", "Ineffective selector on Kubernetes Gateway \(generated). Use the TargetRef field instead.",
        at: place, resource: policy.description)
    ]
  }

  private static func nearest(_ labels: [String: String], _ known: [InstanceIdentity]) -> String? {
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
      let values = known.compactMap { $0.labels[key] }
      if !values.contains(value), let help = Suggestion.help(for: value, among: values) { return help }
    }
    return nil
  }

  /// IST0101, where the documents say which Namespaces there are. They may be those of a part of the cluster alone.
  private static func namespaces(_ context: AnalysisContext) -> [Diagnostic] {
    guard !context.resources.namespaces.isEmpty else { return [] }
    let known = context.resources.namespaces.union(context.resources.headers.map(\.metadata.namespace))
    return context.resources.authorizationPolicies.flatMap { policy in
      let named = policy.spec.rules.flatMap(\.from).flatMap { $0.namespaces.values + $0.namespaces.notValues }
      return named.filter { !$0.value.contains("*") && !known.contains($0.value) }.map { name in
        Diagnostic(
          "IST0101", .warning, "Referenced namespace not found: \"\(name.value)\"", at: name.location,
          resource: policy.description, help: Suggestion.help(for: name.value, among: known.sorted()))
      }
    }
  }

  /// IST0167
  private static func targets(_ policy: Resource<PolicyScope>) -> [Diagnostic] {
    guard let place = policy.spec.targetsLocation else { return [] }
    let targets = policy.spec.targets.compactMap { target in
      target.kind.map { "\($0.value) \(target.name?.value ?? "")" }
    }
    return [
      MessageCatalog.finding(
        "IST0167",
        "The policy has no impact: it is attached to \(targets.joined(separator: ", ")), and instances of a Gateway of Istio's are selected by labels.",
        at: place, resource: policy.description, help: "use selector.matchLabels with the labels of the instance")
    ]
  }

  /// IST0157
  private static func logging(_ telemetries: [Resource<Telemetry>]) -> [Diagnostic] {
    telemetries.flatMap { telemetry in
      telemetry.spec.accessLogging.filter(\.isIdle).map { entry in
        MessageCatalog.finding(
          "IST0157",
          "The Telemetry \(telemetry.metadata.name) in namespace \"\(telemetry.metadata.namespace)\" with empty providers will be ignored.",
          at: entry.location, resource: telemetry.description)
      }
    }
  }

  // MARK: Telemetries together

  private static func conflicts(_ context: AnalysisContext) -> [Diagnostic] {
    let all = context.resources.telemetries.map(\.scoped).filter { $0.spec.targetsLocation == nil }
    return Dictionary(grouping: all, by: \.metadata.namespace).sorted { $0.key < $1.key }.flatMap { namespace, group in
      unselective(group, namespace) + overlapping(group, namespace, context)
    }
  }

  /// IST0160
  private static func unselective(_ group: [Resource<PolicyScope>], _ namespace: String) -> [Diagnostic] {
    let wide = group.filter(\.spec.selector.isEmpty)
    guard wide.count > 1 else { return [] }
    let names = wide.map(\.metadata.name).sorted().joined(separator: " ")
    return wide.map { policy in
      MessageCatalog.finding(
        "IST0160",
        "The Telemetries [\(names)] in namespace \"\(namespace)\" have no workload selector, which can lead to undefined behavior.",
        at: policy.metadata.nameLocation, resource: policy.description)
    }
  }

  /// IST0159
  private static func overlapping(
    _ group: [Resource<PolicyScope>], _ namespace: String, _ context: AnalysisContext
  ) -> [Diagnostic] {
    let selective = group.filter { !$0.spec.selector.isEmpty }
    return instances(namespace, context).flatMap { instance -> [Diagnostic] in
      let selecting = selective.filter { instance.matches($0.spec.selector.mapValues(\.value)) }
      guard selecting.count > 1 else { return [] }
      let names = selecting.map(\.metadata.name).sorted().joined(separator: " ")
      return selecting.map { policy in
        MessageCatalog.finding(
          "IST0159",
          "The Telemetries [\(names)] in namespace \"\(namespace)\" select the same workload pod \"\(instance.name)\", which can lead to undefined behavior.",
          at: policy.spec.selectorLocation, resource: policy.description)
      }
    }
  }
}
