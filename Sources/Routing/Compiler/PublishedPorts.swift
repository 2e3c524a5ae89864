import Resources

/// `--publish`, held against the ports of Gateways.
package enum PublishedPorts {
  /// Ports that are published and that no Gateway of the instances has, in words; nil: all are there, or there are no
  /// Gateways at all, which is said elsewhere.
  package static func problem(
    _ options: CompilerOptions, _ resources: ResourceSet, instances: [InstanceIdentity]
  ) -> String? {
    guard !options.publish.isEmpty else { return nil }
    let gateways = resources.gateways.filter { gateway in
      let selector = gateway.spec.selector.mapValues(\.value)
      return instances.contains { $0.matches(selector) }
    }
    let known = Set(gateways.flatMap(\.spec.servers).compactMap { $0.port?.number?.value }.filter { $0 != 0 })
    guard !known.isEmpty, let port = options.publish.keys.sorted().first(where: { !known.contains($0) }) else {
      return nil
    }
    let local = options.publish[port] ?? port
    let list = known.sorted().map(String.init).joined(separator: ", ")
    let turned = known.contains(local) ? "; did you mean --publish \(port):\(local)?" : ""
    return "--publish \(local):\(port): no Gateway of the instance has port \(port) (they have \(list))\(turned)"
  }
}
