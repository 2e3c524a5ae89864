/// What loading gave: the resources that are good, and everything there is to say.
package struct LoadResult: Sendable {
  package var resources = ResourceSet()
  package var diagnostics: [Diagnostic] = []
  /// What could be read of resources with errors. Nothing is to be made of them: they tell what is missing from what
  /// is only wrong.
  package var flawed = ResourceSet()
  /// Resources that were left out because of errors: `VirtualService httpbin/httpbin-egress`.
  package var broken: [String] = []
  /// Paths that do not exist or cannot be read.
  package var unreadable: [String] = []
  /// A file is not YAML.
  package var hasSyntaxErrors = false
  /// The files that were read.
  package var files: [String] = []
  /// The documents that were read, with what each gave.
  package var documents: [SourceDocument] = []

  package init() {}
}

extension LoadResult {
  /// Adds what another part of the configuration gave.
  package mutating func merge(_ other: LoadResult) {
    resources.merge(other.resources)
    flawed.merge(other.flawed)
    diagnostics += other.diagnostics
    broken += other.broken
    unreadable += other.unreadable
    hasSyntaxErrors = hasSyntaxErrors || other.hasSyntaxErrors
    files += other.files
    documents += other.documents
  }
}
