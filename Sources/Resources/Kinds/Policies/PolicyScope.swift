/// Whom a policy is for: the instances that have a selector's labels, or resources that it is attached to.
package struct PolicyScope: Sendable {
  /// Empty where there is no selector: every instance of the namespace, or of the mesh from the root namespace.
  package let selector: [String: Located<String>]
  /// Where the selector is; nil: there is none.
  package let selectorLocation: SourceLocation?
  package let targets: [PolicyTarget]
  /// Where it names resources that it is attached to; nil: it does not.
  package let targetsLocation: SourceLocation?

  /// - Parameters:
  ///   - name: the selector's field, `selector`, in an EnvoyFilter `workloadSelector`.
  ///   - labels: the field inside that holds the labels.
  ///   - allowsSingleTarget: whether the kind has the old `targetRef` too.
  init(
    _ reader: FieldReader, selector name: String = "selector", labels: String = "matchLabels",
    allowsSingleTarget: Bool = true
  ) {
    var isMisspelt = false
    let selector = reader.object(name) { selector in
      defer { isMisspelt = selector.hasUnknownFields }
      return selector.stringMap(labels)
    }
    self.selector = selector ?? [:]
    selectorLocation = selector == nil ? nil : reader.keyLocation(name)
    var targets: [PolicyTarget] = []
    if allowsSingleTarget, let target = reader.object("targetRef", PolicyTarget.init) { targets.append(target) }
    let isSingle = !targets.isEmpty
    targets += reader.objects("targetRefs", PolicyTarget.init)
    self.targets = targets
    reader.excludes(name, "targetRef", "targetRefs")
    targetsLocation = targets.isEmpty ? nil : reader.keyLocation(isSingle ? "targetRef" : "targetRefs")
    HostRules.checkSelector(
      self.selector, at: isMisspelt ? nil : selectorLocation, of: name == "selector" ? nil : "Envoy filter",
      reader.context)
    let isTwice = isSingle && targets.count > 1
    if let targetsLocation, selectorLocation != nil || isTwice {
      reader.context.error("only one of targetRefs or workloadSelector can be set", at: targetsLocation)
    }
    if targets.count > 16 {
      reader.context.error("targetRefs: at most 16 are allowed, found \(targets.count)", at: targetsLocation)
    }
  }
}
