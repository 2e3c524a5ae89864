import Resources

/// Puts the rules of delegate VirtualServices in the place of the rules that name them, as Istio does
/// (`pilot/pkg/model/virtualservice.go`, `mergeVirtualServicesIfNeeded`).
///
/// A delegate has neither hosts nor gateways of its own, and delegates no further.
struct DelegateMerger {
  private(set) var diagnostics: [Diagnostic] = []
  private let delegates: [String: Resource<VirtualService>]

  init(_ services: [Resource<VirtualService>]) {
    let named = services.filter { $0.spec.hosts.isEmpty }.map { ("\($0.metadata.namespace)/\($0.metadata.name)", $0) }
    delegates = Dictionary(named, uniquingKeysWith: { first, _ in first })
  }

  /// The VirtualService with the rules of its delegates.
  mutating func merge(_ root: Resource<VirtualService>) -> Resource<VirtualService> {
    guard root.spec.http.contains(where: { $0.delegate != nil }) else { return root }
    var spec = root.spec
    spec.http = []
    for rule in root.spec.http {
      if let delegate = rule.delegate {
        spec.http += rules(of: delegate, for: resolved(rule, root.metadata.namespace), root)
      } else {
        spec.http.append(rule)
      }
    }
    return Resource(kind: root.kind, metadata: root.metadata, location: root.location, spec: spec)
  }

  /// Why a VirtualService that is there does not count.
  private static func hidden(_ service: Resource<VirtualService>) -> String {
    let scopes = service.spec.exportTo.map { $0.value == "." ? "its own namespace" : $0.value }.joined(separator: ", ")
    let place = service.spec.exportTo.first.map { " (\($0.location))" } ?? ""
    return "it is there, and exported to \(scopes) alone\(place)"
  }

  private mutating func rules(
    of delegate: HTTPDelegate, for rule: HTTPRoute, _ root: Resource<VirtualService>
  ) -> [HTTPRoute] {
    let own = root.metadata.namespace
    let namespace = delegate.namespace?.value ?? ""
    let reference = "\(namespace.isEmpty ? own : namespace)/\(delegate.name?.value ?? "")"
    let named = delegates[reference]
    guard let service = named,
      Visibility.reaches(own, from: service.metadata.namespace, service.spec.exportTo.map(\.value))
    else {
      diagnostics.append(
        Diagnostic(
          "IST0101", .error, "Referenced VirtualService not found: \"\(reference)\"",
          at: delegate.name?.location ?? rule.location, resource: root.description,
          help: named.map(Self.hidden) ?? Suggestion.help(for: reference, among: delegates.keys.sorted())
            ?? "the rule is left out"))
      return []
    }
    return service.spec.http.compactMap { leaf in
      if let merged = merge(rule, resolved(leaf, service.metadata.namespace)) { return merged }
      diagnostics.append(
        Diagnostic(
          "SP1051", .warning, "the conditions of this rule exclude those of the rule that delegates to it",
          at: leaf.location, resource: service.description,
          help: "it delegates at \(rule.location); the rule is left out there"))
      return nil
    }
  }

  // MARK: Names

  /// Short names are those of the rule's own namespace.
  private func resolved(_ leaf: HTTPRoute, _ namespace: String) -> HTTPRoute {
    func expand(_ destination: inout RouteDestination.Destination?) {
      if let host = destination?.host {
        destination?.host = Located(HostName.expand(host.value, namespace: namespace), at: host.location)
      }
    }
    var leaf = leaf
    for index in leaf.route.indices { expand(&leaf.route[index].destination) }
    for index in leaf.mirrors.indices { expand(&leaf.mirrors[index].destination) }
    for index in leaf.match.indices {
      leaf.match[index].gateways = leaf.match[index].gateways.map {
        Located(GatewayReference.resolve($0.value, namespace: namespace), at: $0.location)
      }
    }
    return leaf
  }

  // MARK: Rules

  /// What the delegate says wins; what it leaves open is the root's. Nil when no pair of conditions can hold at once.
  private func merge(_ root: HTTPRoute, _ leaf: HTTPRoute) -> HTTPRoute? {
    guard let match = merge(root.match, leaf.match) else { return nil }
    var merged = leaf
    merged.match = match
    merged.name = joined(root.name, leaf.name)
    merged.rewrite = leaf.rewrite ?? root.rewrite
    merged.timeout = leaf.timeout ?? root.timeout
    merged.retries = leaf.retries ?? root.retries
    merged.fault = leaf.fault ?? root.fault
    merged.mirrors = leaf.mirrors.isEmpty ? root.mirrors : leaf.mirrors
    merged.corsPolicy = leaf.corsPolicy ?? root.corsPolicy
    merged.headers = leaf.headers ?? root.headers
    return merged
  }

  private func joined(_ root: Located<String>?, _ leaf: Located<String>?) -> Located<String>? {
    guard let root, !root.value.isEmpty else { return leaf }
    guard let leaf, !leaf.value.isEmpty else { return root }
    return Located("\(root.value)-\(leaf.value)", at: leaf.location)
  }

  /// Every pair of conditions that can hold at once; nil when there is none.
  private func merge(_ root: [HTTPMatch], _ leaf: [HTTPMatch]) -> [HTTPMatch]? {
    if root.isEmpty { return leaf }
    if leaf.isEmpty { return root }
    let pairs = root.flatMap { first in leaf.compactMap { conflict(first, $0) ? nil : merge(first, $0) } }
    return pairs.isEmpty ? nil : pairs
  }

  private func merge(_ root: HTTPMatch, _ leaf: HTTPMatch) -> HTTPMatch {
    var merged = leaf
    merged.name = joined(root.name, leaf.name)
    merged.uri = leaf.uri ?? root.uri
    merged.ignoreUriCase = leaf.ignoreUriCase || root.ignoreUriCase
    merged.scheme = leaf.scheme ?? root.scheme
    merged.method = leaf.method ?? root.method
    merged.authority = leaf.authority ?? root.authority
    merged.headers = union(root.headers, leaf.headers)
    merged.withoutHeaders = union(root.withoutHeaders, leaf.withoutHeaders)
    merged.queryParams = union(root.queryParams, leaf.queryParams)
    merged.port = leaf.port ?? root.port
    merged.gateways = leaf.gateways.isEmpty ? root.gateways : leaf.gateways
    merged.sourceLabels = root.sourceLabels.merging(leaf.sourceLabels) { _, leaf in leaf }
    merged.sourceNamespace = leaf.sourceNamespace ?? root.sourceNamespace
    return merged
  }

  private typealias Conditions = [(key: Located<String>, value: StringMatch)]

  private func union(_ root: Conditions, _ leaf: Conditions) -> Conditions {
    let names = Set(leaf.map(\.key.value))
    return root.filter { !names.contains($0.key.value) } + leaf
  }

  // MARK: Conflicts

  /// Whether conditions cannot hold at once, or cannot be told to.
  private func conflict(_ root: HTTPMatch, _ leaf: HTTPMatch) -> Bool {
    if conflict(root.uri, leaf.uri) || conflict(root.scheme, leaf.scheme) { return true }
    if conflict(root.method, leaf.method) || conflict(root.authority, leaf.authority) { return true }
    if root.uri != nil, leaf.uri != nil, root.ignoreUriCase != leaf.ignoreUriCase { return true }
    if conflict(root.headers, leaf.headers) || conflict(root.withoutHeaders, leaf.withoutHeaders) { return true }
    if conflict(root.queryParams, leaf.queryParams) { return true }
    if let port = root.port?.value, let other = leaf.port?.value, port != other { return true }
    if let namespace = root.sourceNamespace?.value, let other = leaf.sourceNamespace?.value, namespace != other {
      return true
    }
    if root.sourceLabels.contains(where: { key, value in leaf.sourceLabels[key].map { $0.value != value.value } ?? false
    }) {
      return true
    }
    let gateways = Set(root.gateways.map(\.value))
    return !gateways.isEmpty && !leaf.gateways.allSatisfy { gateways.contains($0.value) }
  }

  private func conflict(_ root: Conditions, _ leaf: Conditions) -> Bool {
    root.contains { first in
      leaf.contains { $0.key.value == first.key.value && conflict(first.value, $0.value) }
    }
  }

  /// A delegate's text must lie within the root's: an exact one equal it, or begin with its prefix. Regular expressions
  /// must be equal.
  private func conflict(_ root: StringMatch?, _ leaf: StringMatch?) -> Bool {
    guard let root, let leaf else { return false }
    switch (root.kind, leaf.kind) {
    case (.exact(let first), .exact(let second)), (.regex(let first), .regex(let second)):
      return first.value != second.value
    case (.prefix(let prefix), .exact(let text)), (.prefix(let prefix), .prefix(let text)):
      return !text.value.hasPrefix(prefix.value)
    case (.present, .present): return false
    default: return true
    }
  }
}
