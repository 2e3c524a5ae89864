/// `configPatches[]` of an EnvoyFilter: an object of Envoy's configuration, and what becomes of it.
package struct EnvoyFilterPatch: Sendable {
  package enum Target: String, Sendable, CaseIterable {
    case invalid = "INVALID"
    case listener = "LISTENER"
    case filterChain = "FILTER_CHAIN"
    case networkFilter = "NETWORK_FILTER"
    case httpFilter = "HTTP_FILTER"
    case routeConfiguration = "ROUTE_CONFIGURATION"
    case virtualHost = "VIRTUAL_HOST"
    case httpRoute = "HTTP_ROUTE"
    case cluster = "CLUSTER"
    case extensionConfig = "EXTENSION_CONFIG"
    case bootstrap = "BOOTSTRAP"
    case listenerFilter = "LISTENER_FILTER"
  }

  package enum Operation: String, Sendable, CaseIterable {
    case invalid = "INVALID"
    case merge = "MERGE"
    case add = "ADD"
    case remove = "REMOVE"
    case insertBefore = "INSERT_BEFORE"
    case insertAfter = "INSERT_AFTER"
    case insertFirst = "INSERT_FIRST"
    case replace = "REPLACE"
    case mergeAndReplaceList = "MERGE_AND_REPLACE_LIST"
  }

  private enum FilterClass: String, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case authn = "AUTHN"
    case authz = "AUTHZ"
    case stats = "STATS"
  }

  package let applyTo: Located<Target>?
  package let operation: Located<Operation>?

  /// Istio's `validateEnvoyFilter`, as far as it does not need to know Envoy's own configuration.
  init(_ reader: FieldReader) {
    applyTo = reader.enumeration("applyTo", Target.self)
    let match = reader.object("match", EnvoyFilterMatch.init)
    let patch = reader.object("patch") { patch in
      let operation = patch.enumeration("operation", Operation.self)
      _ = patch.enumeration("filterClass", FilterClass.self)
      let isWithoutValue = !patch.has("value") && patch.misspelling(of: "value") == nil
      if let operation, operation.value != .remove, operation.value != .invalid, isWithoutValue {
        patch.context.error(
          "Envoy filter: missing patch value for non-remove operation", at: operation.location)
      }
      if operation?.value == .invalid {
        patch.context.error("Envoy filter: missing patch operation", at: operation?.location)
      } else {
        patch.require("operation", "Envoy filter: missing patch operation")
      }
      return operation
    }
    operation = patch ?? nil
    // An item that is null has had its word.
    guard reader.isWritten else { return }
    if applyTo?.value == .invalid {
      reader.context.error("Envoy filter: missing applyTo", at: applyTo?.location)
    } else {
      reader.require("applyTo", "Envoy filter: missing applyTo")
    }
    reader.require("patch", "Envoy filter: missing patch")
    if let applyTo, let match { Self.check(match, of: applyTo.value, reader.context) }
  }

  /// Whether target and match speak of the same kind of object.
  private static func check(_ match: EnvoyFilterMatch, of target: Target, _ context: DecodingContext) {
    switch target {
    case .listener, .filterChain, .networkFilter, .httpFilter:
      if let other = match.other(than: "listener") {
        context.error(
          "Envoy filter: applyTo for listener class objects cannot have non listener match", at: other.location)
      }
      match.filter?.check(for: target, context)
    case .routeConfiguration, .virtualHost, .httpRoute:
      if let other = match.other(than: "routeConfiguration") {
        context.error(
          "Envoy filter: applyTo for http route class objects cannot have non route configuration match",
          at: other.location)
      }
    case .cluster:
      if let other = match.other(than: "cluster") {
        context.error(
          "Envoy filter: applyTo for cluster class objects cannot have non cluster match", at: other.location)
      }
    default: break
    }
  }
}
