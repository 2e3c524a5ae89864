import CYaml

/// libyaml's parser of a text that it borrows. All memory of the C library is owned here, or is gone when a call
/// returns; the only unsafe code of the reader is in this file.
@safe
struct EventParser: ~Copyable, ~Escapable {
  /// In memory of its own, because libyaml keeps the parser's address.
  private let parser: UnsafeMutablePointer<yaml_parser_t>

  /// - Parameter text: not empty.
  @_lifetime(copy text)
  init(_ text: Span<UInt8>) {
    unsafe parser = .allocate(capacity: 1)
    // It fails where there is no memory, and nowhere else.
    guard unsafe yaml_parser_initialize(parser) == 1 else { fatalError("out of memory") }
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    // The lifetime above says that the parser does not outlive the bytes that libyaml keeps a pointer to.
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
  }

  /// The next event; behind the end of the stream there are none to ask for.
  mutating func next() throws(YAMLError) -> Event {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw error() }
    // What an event points to is its own until it is deleted; all that is kept of it is copied before.
    defer { unsafe yaml_event_delete(&event) }
    return unsafe Event(event)
  }

  private func error() -> YAMLError {
    let state = unsafe parser.pointee
    let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? ""
    switch unsafe state.error {
    case YAML_READER_ERROR:
      return .character(
        problem: problem, code: UInt32(bitPattern: unsafe state.problem_value), offset: unsafe state.problem_offset)
    case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
      let context = unsafe state.context.map { text in
        YAMLError.Context(text: unsafe String(cString: text), mark: Mark(unsafe state.context_mark))
      }
      return .syntax(problem: problem, at: Mark(unsafe state.problem_mark), context)
    default:
      return .outOfMemory
    }
  }
}

extension Event {
  /// A copy of what libyaml says, which is valid for as long as its event is.
  @unsafe
  fileprivate init(_ event: yaml_event_t) {
    mark = Mark(unsafe event.start_mark)
    switch unsafe event.type {
    case YAML_SCALAR_EVENT:
      // The union holds the member that the type names.
      let scalar = unsafe event.data.scalar
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      // Files that were put together have byte order marks inside, which nobody sees and no name begins with.
      let bom = unsafe bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      let style = unsafe Node.Scalar.Style(scalar.style)
      let isText = unsafe style != .plain || Self.isStringTag(scalar.tag)
      content = .scalar(unsafe String(decoding: bytes[bom...], as: UTF8.self), style, isText: isText)
      anchor = unsafe Self.text(scalar.anchor)
    case YAML_ALIAS_EVENT:
      content = .alias
      anchor = unsafe Self.text(event.data.alias.anchor)
    case YAML_MAPPING_START_EVENT:
      content = .mapping(isFlow: unsafe event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
      anchor = unsafe Self.text(event.data.mapping_start.anchor)
    case YAML_SEQUENCE_START_EVENT:
      content = .sequence
      anchor = unsafe Self.text(event.data.sequence_start.anchor)
    default:
      content =
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: .streamStart
        case YAML_DOCUMENT_START_EVENT: .documentStart
        case YAML_DOCUMENT_END_EVENT: .documentEnd
        case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT: .collectionEnd
        // Behind the end libyaml answers with events that say nothing.
        default: .streamEnd
        }
      anchor = nil
    }
  }

  /// The text of a C string that may be absent. libyaml has checked that it is UTF-8.
  @unsafe
  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    unsafe pointer.map { unsafe String(cString: $0) }
  }

  /// Whether a tag is `!!str`, or the `!` that means the same for a scalar.
  @unsafe
  private static func isStringTag(_ tag: UnsafeMutablePointer<yaml_char_t>?) -> Bool {
    guard let tag = unsafe text(tag) else { return false }
    return tag == "!" || tag == YAML_STR_TAG
  }
}

extension Mark {
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: mark.line + 1, column: mark.column + 1)
  }
}

extension Node.Scalar.Style {
  fileprivate init(_ style: yaml_scalar_style_t) {
    self =
      switch style {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
      case YAML_LITERAL_SCALAR_STYLE: .literal
      case YAML_FOLDED_SCALAR_STYLE: .folded
      default: .plain
      }
  }
}
