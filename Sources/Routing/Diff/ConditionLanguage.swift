/// The values that a condition on a field, a query parameter or the method compares with.
struct ConditionLanguage {
  let subject: Predicate.Subject
  let name: String
  let isInverted: Bool
  /// The field only has to be there.
  let isPresence: Bool
  let language: TextLanguage
  /// What all of its texts begin with.
  private let start: [UInt8]

  /// nil for what the listener or the host decide, and for an expression that is not understood.
  init?(_ predicate: Predicate, name: String, of snapshot: Snapshot) {
    guard predicate.subject != .scheme, predicate.subject != .authority else { return nil }
    let text = snapshot.text(predicate.valueStart, predicate.valueCount)
    let language: TextLanguage? =
      switch predicate.comparison {
      case .present: .anything
      case .exact: .literal(text)
      case .prefix: TextLanguage.literal(text)?.followed(by: .anything)
      case .regex: RegexReader.language(snapshot.regexes.sources[Int(predicate.regex)])
      }
    guard let language else { return nil }
    self.language = language
    start = language.start
    self.name = name
    subject = predicate.subject
    isInverted = predicate.isInverted
    isPresence = predicate.comparison == .present
  }

  func isComparable(with other: ConditionLanguage) -> Bool { subject == other.subject && name == other.name }

  private var alphabet: SymbolSet { subject == .header ? .all : .path.subtracting(SymbolSet("&%+".utf8)) }

  /// Values that only this one has, that only the other has, and that both have.
  func wishes(against other: ConditionLanguage) -> [Wish] {
    guard language != other.language, !TextLanguage.areDisjoint(start, other.start) else { return [] }
    let searches = [
      TextLanguage.text(in: [language], notIn: [other.language], of: alphabet),
      TextLanguage.text(in: [other.language], notIn: [language], of: alphabet),
      TextLanguage.text(in: [language, other.language], of: alphabet),
    ]
    return searches.compactMap { search in
      guard case .found(let value) = search else { return nil }
      switch subject {
      case .method: return .method(value)
      case .header: return .field(name: name, value: value)
      case .queryParameter: return .parameter(name: name, value: value)
      case .scheme, .authority: return nil
      }
    }
  }

  /// Whether the other condition holds wherever this one does, for certain.
  func implies(_ other: ConditionLanguage) -> Bool {
    guard isComparable(with: other), isInverted == other.isInverted else { return false }
    if isPresence || other.isPresence { return isPresence == other.isPresence || !isInverted && other.isPresence }
    let (narrow, wide) = isInverted ? (other.language, language) : (language, other.language)
    return narrow == wide
      || !TextLanguage.areDisjoint(start, other.start) && TextLanguage.text(in: [narrow], notIn: [wide]) == .none
  }
}
