import Resources

extension Diagnostic {
  /// Those of `diagnostics` that are not among `earlier`. A finding that only moved within its file, because lines above
  /// it came or went, is not new; the same finding a second time in the file is.
  package static func unseen(_ diagnostics: [Diagnostic], in earlier: [Diagnostic]) -> [Diagnostic] {
    var known: [Key: Int] = [:]
    for diagnostic in earlier { known[Key(diagnostic), default: 0] += 1 }
    return diagnostics.filter { diagnostic in
      let key = Key(diagnostic)
      guard let count = known[key], count > 0 else { return true }
      known[key] = count - 1
      return false
    }
  }

  /// What makes two findings the same.
  private struct Key: Hashable {
    let code: String
    let severity: Severity
    let message: String
    let file: String?

    init(_ diagnostic: Diagnostic) {
      code = diagnostic.code
      severity = diagnostic.severity
      message = diagnostic.message
      file = diagnostic.location?.file
    }
  }
}
