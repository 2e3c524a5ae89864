import Proxy
import Resources
import Routing

/// A configuration compiled for every instance that it declares, for verbs that look at all of them.
package struct CompiledConfiguration {
  package let resources: ResourceSet
  /// One for each instance, in the order of their names.
  package let snapshots: [Snapshot]
  /// The instances that were asked for: all, unless flags name one.
  package let selected: [InstanceIdentity]
  /// How many resources or references are wrong and left out.
  package let errorCount: Int
  /// Resources were left out: what is not there may be in one of them.
  private let hasBroken: Bool

  /// Why there is nothing to look at.
  package struct Trouble: Error {
    package let message: String
    package let exitCode: Int32
  }

  /// Reads and compiles.
  package static func load(_ source: ConfigurationSource) throws(Trouble) -> CompiledConfiguration {
    let read: LoadResult
    switch source.read() {
    case .success(let result): read = result
    case .failure(.unreadable(let paths)):
      throw Trouble(message: "cannot read \(paths.joined(separator: ", "))", exitCode: ExitStatus.noInput)
    case .failure: throw Trouble(message: "the configuration cannot be read", exitCode: ExitStatus.data)
    }
    if read.hasSyntaxErrors {
      throw Trouble(message: "a file is not YAML: sallyport check says where", exitCode: ExitStatus.data)
    }
    let declared = InstanceCatalog.instances(in: read.resources)
    var entries = declared + InstanceCatalog.implied(in: read.resources, beside: declared)
    var selected = entries.map(\.identity)
    if !source.selection.isEmpty {
      guard let entry = source.identity(in: read.resources) else {
        let name = source.selection.name ?? ""
        let help = Suggestion.help(for: name, among: declared.map(\.identity.name)).map { "; \($0)" } ?? ""
        throw Trouble(
          message: "instance \"\(name)\" is not in the configuration\(help)", exitCode: ExitStatus.configuration)
      }
      // Flags may say more of a declared instance than the configuration does.
      entries.removeAll { isSame($0.identity, entry.identity) }
      entries.append(entry)
      selected = [entry.identity]
    }
    return compile(read, entries, selected, source)
  }

  private static func isSame(_ left: InstanceIdentity, _ right: InstanceIdentity) -> Bool {
    left.namespace == right.namespace && (left.name == right.name || left.labels == right.labels)
  }

  private static func compile(
    _ read: LoadResult, _ entries: [InstanceCatalog.Entry], _ selected: [InstanceIdentity],
    _ source: ConfigurationSource
  ) -> CompiledConfiguration {
    var errors = Set(read.diagnostics.filter { $0.severity == .error })
    let snapshots = entries.map { entry in
      // Ports and addresses on the command line are those of the instances that were asked for.
      let options = selected.contains(entry.identity) ? source.compiler : CompilerOptions()
      let compiler = SnapshotCompiler(
        read.resources, identity: entry.identity, readinessProbes: entry.readinessProbes, options: options,
        readFile: { FileSystem.read($0) })
      let output = compiler.compile(generation: 1)
      errors.formUnion(output.diagnostics.filter { $0.severity == .error })
      return output.snapshot
    }
    return CompiledConfiguration(
      resources: read.resources, snapshots: snapshots, selected: selected, errorCount: errors.count,
      hasBroken: !read.broken.isEmpty)
  }

  /// A port of `--publish` that no Gateway of the instances has, in words: neither here nor in `other`, which is looked
  /// at with the same flags.
  package func publishSlip(_ options: CompilerOptions, beside other: CompiledConfiguration? = nil) -> String? {
    guard !hasBroken, other?.hasBroken != true else { return nil }
    var all = resources
    if let other { all.merge(other.resources) }
    return PublishedPorts.problem(options, all, instances: selected + (other?.selected ?? []))
  }

  /// The instances as one.
  package var fleet: GatewayFleet {
    GatewayFleet(resources, snapshots: snapshots, inspect: CertificateInspection.inspector)
  }
}
