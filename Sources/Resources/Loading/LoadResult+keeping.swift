/// Earlier versions of resources in the place of broken ones.
extension LoadResult {
  /// Takes the last good version of everything that is broken: of a resource with errors its own, of a document that
  /// does not say what it is all that the file gave and gives no more. Returns the resources that were kept.
  package mutating func keepBroken(from earlier: [SourceDocument]) -> Set<String> {
    let present = Set(documents.flatMap(\.resources))
    var wanted: [Int: Set<String>] = [:]
    for document in documents {
      for name in document.broken {
        let own = earlier.lastIndex { $0.file == document.file && $0.resources.contains(name) }
        let elsewhere = present.contains(name) ? nil : earlier.lastIndex { $0.resources.contains(name) }
        if let index = own ?? elsewhere { wanted[index, default: []].insert(name) }
      }
    }
    let unidentified = Set(documents.filter(\.isUnidentified).map(\.file))
    let broken = Set(documents.flatMap(\.broken))
    for (index, document) in earlier.enumerated() where unidentified.contains(document.file) {
      let gone = document.resources.filter { !present.contains($0) && !broken.contains($0) }
      if !gone.isEmpty { wanted[index, default: []].formUnion(gone) }
    }
    for (index, names) in wanted.sorted(by: { $0.key < $1.key }) { take(earlier[index].only(names.contains)) }
    return wanted.values.reduce(into: []) { $0.formUnion($1) }
  }

  /// Puts other versions in the place of resources, for those whose text is another. Returns their names.
  package mutating func replace(_ names: Set<String>, from other: [SourceDocument]) -> Set<String> {
    var replaced: Set<String> = []
    for name in names {
      guard let index = documents.lastIndex(where: { $0.resources.contains(name) }) else { continue }
      let current = documents[index]
      let version =
        other.last { $0.file == current.file && $0.resources.contains(name) }
        ?? other.last { $0.resources.contains(name) }
      guard let version, !version.hasText(of: current) else { continue }
      documents[index] = current.only { $0 != name }
      resources.remove(name, file: current.file)
      take(version.only { $0 == name })
      replaced.insert(name)
    }
    return replaced
  }

  /// The resources that stand at a place: those of the document, when it holds one alone.
  package func resource(at location: SourceLocation) -> String? {
    let document = documents.last { $0.file == location.file && $0.firstLine < location.line }
    return document?.resources.count == 1 ? document?.resources[0] : nil
  }

  /// Reads a document again and adds those of its resources that count. It was good once, so there is nothing to say.
  private mutating func take(_ document: SourceDocument) {
    guard let node = try? Composer.document(document.text.span) else { return }
    var decoder = ResourceDecoder(file: document.file)
    decoder.decode(node, lineOffset: document.firstLine)
    var again = LoadResult()
    again.resources = decoder.result.resources
    again.resources.keepOnly(Set(document.resources))
    again.documents = [document]
    merge(again)
  }
}

extension ResourceSet {
  fileprivate mutating func keepOnly(_ names: Set<String>) {
    removeAll { name, _ in !names.contains(name) }
  }

  fileprivate mutating func remove(_ name: String, file: String) {
    removeAll { $0 == name && $1 == file }
  }

  /// Removes resources by name (`Gateway test/good`) and file.
  private mutating func removeAll(where isUnwanted: (String, String) -> Bool) {
    func remove<Spec>(_ list: inout [Resource<Spec>]) {
      list.removeAll { isUnwanted($0.description, $0.location.file) }
    }
    remove(&gateways)
    remove(&virtualServices)
    remove(&serviceEntries)
    remove(&destinationRules)
    remove(&workloadEntries)
    remove(&peerAuthentications)
    remove(&authorizationPolicies)
    remove(&requestAuthentications)
    remove(&telemetries)
    remove(&wasmPlugins)
    remove(&envoyFilters)
    remove(&proxyConfigs)
    remove(&operators)
    remove(&secrets)
    remove(&configMaps)
    remove(&services)
    remove(&endpointSlices)
    remove(&deployments)
    remove(&probes)
  }
}
