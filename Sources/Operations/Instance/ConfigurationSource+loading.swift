import Resources
import Routing

extension ConfigurationSource {
  /// What loading came to.
  package struct Loaded: Sendable {
    package let snapshot: Snapshot
    /// Everything there is to say, about what is rejected too.
    package let diagnostics: [Diagnostic]
    /// What there is to say about the resources in force.
    let inForce: [Diagnostic]
    /// What clients will not like about the certificates in force: expired, for other hosts, an incomplete chain. They are
    /// served all the same.
    let certificates: [Diagnostic]
    package let rejected: [RejectedResource]
    package let files: [String]
    /// The texts of the resources in force.
    let documents: [SourceDocument]
    /// The secrets in force.
    let secrets: [Resource<Secret>]

    /// Policies that would refuse requests and are not enforced, but for those that say that this is known.
    let unenforced: [Diagnostic]

    /// Why `--strict` does not take the configuration; nil when it does.
    var strictObjection: String? {
      if diagnostics.contains(where: { $0.severity == .error }) || !rejected.isEmpty {
        return "the configuration has errors"
      }
      let first = unenforced.first?.resource.map { " (\($0))" } ?? ""
      return unenforced.isEmpty ? nil : "the configuration has policies that are not enforced\(first)"
    }

    /// A slip in `--publish`, in words: none where the port may be that of a resource that is broken.
    package var publishSlip: String? {
      rejected.isEmpty ? diagnostics.first { $0.code == "SP1061" }?.message : nil
    }
  }

  /// Reads and compiles for the selected instance.
  ///
  /// - Parameter previous: what is in force. A resource that is broken now, or refers to what is not there while its
  ///   version in force did not, keeps that version.
  package func load(generation: Int, after previous: Loaded? = nil) -> Result<Loaded, Failure> {
    var read: LoadResult
    switch self.read() {
    case .failure(let failure): return .failure(failure)
    case .success(let result): read = result
    }
    guard !read.documents.isEmpty else { return .failure(.empty) }
    let kept = read.keepBroken(from: previous?.documents ?? [])
    var rejected = Self.rejected(read, kept: kept)
    guard identity(in: read.resources) != nil else {
      let names = InstanceCatalog.instances(in: read.resources).map(\.identity.name)
      return .failure(.unknownInstance(selection.name ?? "", names))
    }
    var refused = Self.keepSecrets(&read, from: previous?.secrets ?? [])
    var (snapshot, compiled) = compile(read.resources, generation)
    if let previous { refused += keepReferences(&read, &snapshot, &compiled, after: previous) }
    rejected += refused.map { RejectedResource($0.name, $0.error, isKept: true) }
    let inForce = read.diagnostics + compiled
    return .success(
      Loaded(
        snapshot: snapshot, diagnostics: inForce + refused.map(\.error), inForce: inForce,
        certificates: certificates(read.resources), rejected: rejected,
        files: read.files,
        documents: read.documents.filter { !$0.resources.isEmpty }, secrets: read.resources.secrets,
        unenforced: Suppression.unenforced(inForce, read.resources)))
  }

  private func certificates(_ resources: ResourceSet) -> [Diagnostic] {
    guard !resources.secrets.isEmpty, let identity = identity(in: resources)?.identity else { return [] }
    let context = AnalysisContext(
      resources, instances: [identity], now: TimeText.epochSeconds,
      inspect: { CertificateReport(chainPEM: $0, keyPEM: $1) }, readFile: { FileSystem.read($0) })
    // One that cannot be used at all is said when it is loaded.
    return Analysis.run(context, only: "gateway.CertificateAnalyzer").filter { !$0.message.contains("cannot be used") }
  }

  private func compile(_ resources: ResourceSet, _ generation: Int) -> (Snapshot, [Diagnostic]) {
    let entry = identity(in: resources)
    let compiler = SnapshotCompiler(
      resources, identity: entry?.identity ?? InstanceIdentity(name: "", namespace: "", labels: [:]),
      readinessProbes: entry?.readinessProbes ?? [], options: compiler, readFile: { FileSystem.read($0) })
    let output = compiler.compile(generation: generation)
    return (output.snapshot, OverlapAnalyzer.references(resources, instances: []) + output.diagnostics)
  }

  /// What could not be read, with whether an earlier version of it serves.
  private static func rejected(_ read: LoadResult, kept: Set<String>) -> [RejectedResource] {
    let errors = read.diagnostics.filter { $0.severity == .error }
    var rejected = read.broken.map { name in
      let error =
        errors.first { $0.resource == name } ?? errors.first { $0.resource == nil && $0.location?.file == name }
      return RejectedResource(name, error, isKept: kept.contains(name))
    }
    // What is kept because its file cannot be read is named too: it is what somebody will look for.
    for name in kept.subtracting(read.broken).sorted() {
      let document = read.documents.last { $0.resources.contains(name) }
      rejected.append(
        RejectedResource(name, errors.first { $0.location?.file == document?.file }, isKept: true))
    }
    var seen: Set<RejectedResource> = []
    return rejected.filter { seen.insert($0).inserted }
  }

  /// Puts back the versions in force of resources that have come to refer to what is not there. One whose version in
  /// force has the error as well changes all the same: something else has gone.
  private func keepReferences(
    _ read: inout LoadResult, _ snapshot: inout Snapshot, _ compiled: inout [Diagnostic], after previous: Loaded
  ) -> [(name: String, error: Diagnostic)] {
    let fresh = read.documents
    var kept: [String: Diagnostic] = [:]
    var settled: Set<String> = []
    // One that is put back may leave another without what it refers to; chains longer than this do not happen.
    for _ in 0..<8 {
      let errors = Self.newErrors(compiled, in: read, since: previous)
      let hopeless = Set(kept.keys).intersection(errors.keys)
      for name in hopeless { kept[name] = nil }
      var changed = read.replace(hopeless, from: fresh)
      for name in read.replace(Set(errors.keys).subtracting(settled), from: previous.documents) {
        kept[name] = errors[name]
        changed.insert(name)
      }
      settled.formUnion(errors.keys)
      guard !changed.isEmpty else { break }
      (snapshot, compiled) = compile(read.resources, snapshot.generation)
    }
    return kept.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Errors that the configuration in force does not have, by the resources that have them or where they stand.
  private static func newErrors(
    _ compiled: [Diagnostic], in read: LoadResult, since previous: Loaded
  ) -> [String: Diagnostic] {
    var errors: [String: Diagnostic] = [:]
    for error in Diagnostic.unseen(compiled.filter { $0.severity == .error }, in: previous.inForce) {
      let names = [error.resource, error.location.flatMap { read.resource(at: $0) }].compactMap { $0 }
      for name in names where errors[name] == nil { errors[name] = error }
    }
    return errors
  }
}
