/// One field: where its name and value lie in the block's store.
@frozen
package struct HeaderField: Sendable {
  package var name: ByteRange
  package var value: ByteRange
  /// Where the line "name: value CRLF" ends, which begins at the name, so that runs of lines can be copied in one
  /// piece; 0 when the bytes of the field do not lie together.
  var lineEnd: UInt32
  package var token: HeaderName
  /// The field no longer counts; its bytes stay where they are.
  package var isRemoved: Bool

  var isWholeLine: Bool { lineEnd > 0 }
}

/// The fields of a message, whatever version of HTTP it came in: one byte store and a table.
///
/// Original order and case are kept. Edits change the table and append to the store; the bytes that came are never
/// moved. Reused for message after message, so a warm block allocates nothing.
package struct HeaderBlock: ~Copyable {
  private var store: OwnedBuffer<UInt8>
  private var fields: OwnedBuffer<HeaderField>
  private var removedCount = 0

  /// A block that ballooned gives its memory back when it is cleared.
  private static let keptBytes = 16 * 1024
  private static let keptFields = 128

  package init(byteCapacity: Int, fieldCapacity: Int) {
    store = OwnedBuffer(initialCapacity: byteCapacity)
    fields = OwnedBuffer(initialCapacity: fieldCapacity)
  }

  /// Entries of the table, removed ones included: the bound for `field(at:)`.
  @inline(__always)
  package var tableCount: Int { fields.count }

  /// Fields that count.
  package var count: Int { fields.count - removedCount }

  package var isEmpty: Bool { count == 0 }

  /// All bytes; the ranges of fields and heads point into it.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get { store.bytes }
  }

  /// How many bytes the store holds.
  package var byteCount: Int { store.count }

  @inline(__always)
  package func field(at index: Int) -> HeaderField { fields[index] }

  /// Forgets everything, keeps the memory.
  package mutating func removeAll() {
    store.removeAll(keeping: Self.keptBytes)
    fields.removeAll(keeping: Self.keptFields)
    removedCount = 0
  }

  /// Takes over all bytes and fields of another block.
  mutating func copy(from other: borrowing HeaderBlock) {
    removeAll()
    _ = intern(other.bytes)
    fields.append(contentsOf: other.fields)
    removedCount = other.removedCount
  }

  // MARK: Filling

  /// Copies bytes into the store.
  package mutating func intern(_ bytes: RawSpan) -> ByteRange {
    store.reserve(bytes.byteCount)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(bytes, into: &output)
    return take(to: writer.position)
  }

  /// Copies bytes of the store to its end.
  mutating func internCopy(_ range: ByteRange) -> ByteRange {
    let count = Int(range.count)
    store.reserve(count)
    let start = store.count
    precondition(range.end <= start)
    var output = store.memory
    for index in 0..<count {
      let byte = unsafe output.unsafeLoad(fromByteOffset: range.start + index, as: UInt8.self)
      output.storeBytes(of: byte, toByteOffset: start + index, as: UInt8.self)
    }
    return take(to: start + count)
  }

  /// Copies a constant into the store.
  package mutating func intern(_ text: StaticString) -> ByteRange {
    store.reserve(text.utf8CodeUnitCount)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(text, into: &output)
    return take(to: writer.position)
  }

  @inline(__always)
  private mutating func take(to end: Int) -> ByteRange {
    let start = store.count
    store.take(to: end)
    return ByteRange(offset: start, count: end - start)
  }

  /// Makes `Host` say what an absolute target said.
  mutating func setValueOfHost(_ range: ByteRange) {
    let index = firstIndex(of: .host)
    if index >= 0 { return setValue(at: index, range) }
    let name = intern(HeaderName.host.text)
    fields.append(HeaderField(name: name, value: range, lineEnd: 0, token: .host, isRemoved: false))
  }

  /// Adds a field whose bytes are in the store already, or will be at these places.
  ///
  /// - Parameter lineEnd: the end of the line if it is exactly "name: value CRLF", else 0.
  @inline(__always)
  mutating func addParsed(name: ByteRange, value: ByteRange, token: HeaderName, lineEnd: Int) {
    fields.append(
      HeaderField(
        name: name, value: value, lineEnd: UInt32(truncatingIfNeeded: lineEnd), token: token, isRemoved: false))
  }

  /// Adds a field with a known name.
  package mutating func append(_ token: HeaderName, _ value: RawSpan) {
    let text = token.text
    store.reserve(text.utf8CodeUnitCount + value.byteCount + 4)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(text, into: &output)
    writer.write(": ", into: &output)
    writer.write(value, into: &output)
    writer.write("\r\n", into: &output)
    addLine(nameCount: text.utf8CodeUnitCount, end: writer.position, token)
  }

  /// Adds a field with a known name and a constant value.
  package mutating func append(_ token: HeaderName, _ value: StaticString) {
    let text = token.text
    store.reserve(text.utf8CodeUnitCount + value.utf8CodeUnitCount + 4)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(text, into: &output)
    writer.write(": ", into: &output)
    writer.write(value, into: &output)
    writer.write("\r\n", into: &output)
    addLine(nameCount: text.utf8CodeUnitCount, end: writer.position, token)
  }

  /// Adds a field that is always the same.
  ///
  /// - Parameters:
  ///   - nameCount: bytes of the name.
  ///   - line: "name: value CRLF".
  mutating func append(_ token: HeaderName, nameCount: Int, line: StaticString) {
    store.reserve(line.utf8CodeUnitCount)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(line, into: &output)
    addLine(nameCount: nameCount, end: writer.position, token)
  }

  /// Adds a field with a known name and a decimal number.
  package mutating func append(_ token: HeaderName, _ number: Int) {
    let text = token.text
    store.reserve(text.utf8CodeUnitCount + 24)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(text, into: &output)
    writer.write(": ", into: &output)
    writer.write(decimal: number, into: &output)
    writer.write("\r\n", into: &output)
    addLine(nameCount: text.utf8CodeUnitCount, end: writer.position, token)
  }

  /// Adds a field with any name; both must be valid.
  package mutating func append(name: RawSpan, value: RawSpan) {
    append(HeaderName.resolve(name), name: name, value)
  }

  /// Adds a field whose name was resolved already.
  mutating func append(_ token: HeaderName, name: RawSpan, _ value: RawSpan) {
    store.reserve(name.byteCount + value.byteCount + 4)
    var writer = ByteWriter(position: store.count)
    var output = store.memory
    writer.write(name, into: &output)
    writer.write(": ", into: &output)
    writer.write(value, into: &output)
    writer.write("\r\n", into: &output)
    addLine(nameCount: name.byteCount, end: writer.position, token)
  }

  /// Takes the line that was just written behind the store's bytes into the table.
  @inline(__always)
  private mutating func addLine(nameCount: Int, end: Int, _ token: HeaderName) {
    let start = store.count
    store.take(to: end)
    addParsed(
      name: ByteRange(offset: start, count: nameCount),
      value: ByteRange(offset: start + nameCount + 2, count: end - start - nameCount - 4), token: token, lineEnd: end)
  }

  // MARK: Looking

  /// The index of the first field with this name, -1 if there is none.
  package func firstIndex(of token: HeaderName) -> Int {
    for index in 0..<fields.count where fields[index].token == token && !fields[index].isRemoved { return index }
    return -1
  }

  /// The index of the last field with this name, -1 if there is none.
  func lastIndex(of token: HeaderName) -> Int {
    var found = -1
    for index in 0..<fields.count where fields[index].token == token && !fields[index].isRemoved { found = index }
    return found
  }

  /// Whether the value at `index` is exactly `trailers`, the one `TE` that passes a proxy.
  func isTrailers(at index: Int) -> Bool {
    bytes.extracting(fields[index].value.range).equalsIgnoringCase("trailers")
  }

  /// Whether the name at `index` begins with `x-envoy-`: more of those than have tokens belong to Envoy's vocabulary.
  func isOfEnvoy(at index: Int) -> Bool {
    bytes.extracting(fields[index].name.range).hasPrefixIgnoringCase("x-envoy-")
  }

  /// A copy of some bytes, for rare edits that need them while the block changes.
  func copy(of range: ByteRange) -> [UInt8] { (range.start..<range.end).map { store[$0] } }

  /// Whether there is a field with this name.
  package func contains(_ token: HeaderName) -> Bool { firstIndex(of: token) >= 0 }

  /// The first value of this name, empty range if there is none (or if it is empty).
  package func value(of token: HeaderName) -> ByteRange {
    let index = firstIndex(of: token)
    return index < 0 ? .empty : fields[index].value
  }

  /// The index of the first field at or after `start` with this name in lower case, -1 if there is none.
  package func index(named lowercased: RawSpan, from start: Int = 0) -> Int {
    let wanted = lowercased.octets
    for index in start..<fields.count where !fields[index].isRemoved && Int(fields[index].name.count) == wanted.count {
      if matches(fields[index].name, wanted) { return index }
    }
    return -1
  }

  private func matches(_ range: ByteRange, _ wanted: Span<UInt8>) -> Bool {
    let name = bytes.extracting(range.range).octets
    for index in 0..<wanted.count where Octet.lowercased(name[index]) != wanted[index] { return false }
    return true
  }

  // MARK: Editing

  /// Replaces all fields of this name by one.
  package mutating func set(_ token: HeaderName, _ value: RawSpan) {
    remove(token)
    append(token, value)
  }

  /// Replaces all fields of this name by one with a constant value.
  package mutating func set(_ token: HeaderName, _ value: StaticString) {
    remove(token)
    append(token, value)
  }

  /// Removes all fields of this name.
  package mutating func remove(_ token: HeaderName) {
    for index in 0..<fields.count where fields[index].token == token { remove(at: index) }
  }

  /// Removes all fields with this name in lower case.
  package mutating func removeAll(named lowercased: RawSpan) {
    var found = index(named: lowercased)
    while found >= 0 {
      remove(at: found)
      found = index(named: lowercased, from: found + 1)
    }
  }

  /// Removes all fields with this name in lower case.
  package mutating func removeAll(named lowercased: StaticString) {
    lowercased.withUTF8Buffer { unsafe removeAll(named: RawSpan(_unsafeElements: $0)) }
  }

  /// Removes the field at `index`.
  package mutating func remove(at index: Int) {
    guard !fields[index].isRemoved else { return }
    fields[index].isRemoved = true
    removedCount += 1
  }

  /// Gives the field at `index` the value `range` of the store.
  package mutating func setValue(at index: Int, _ range: ByteRange) {
    fields[index].value = range
    fields[index].lineEnd = 0
  }

  /// Makes one `cookie` field of several, as HTTP/1 wants them (RFC 9113, section 8.2.3).
  mutating func joinCookies() {
    let first = firstIndex(of: .cookie)
    guard first >= 0 else { return }
    let start = internCopy(fields[first].value).start
    for index in (first + 1)..<fields.count where fields[index].token == .cookie && !fields[index].isRemoved {
      _ = intern("; ")
      _ = internCopy(fields[index].value)
      remove(at: index)
    }
    setValue(at: first, ByteRange(offset: start, count: store.count - start))
  }

  // MARK: Writing

  /// An upper bound of the bytes that `write(into:at:)` needs.
  var http1ByteCount: Int { store.count + fields.count * 4 }

  /// Writes all fields as HTTP/1 lines. Runs of untouched lines are copied in one piece.
  func write(into output: inout MutableRawSpan, at start: Int) -> Int {
    var writer = ByteWriter(position: start)
    var index = 0
    while index < fields.count {
      let field = fields[index]
      if field.isRemoved {
        index += 1
      } else if field.isWholeLine {
        index = copyRun(from: index, &writer, &output)
      } else {
        let store = bytes
        writer.write(store.extracting(field.name.range), into: &output)
        writer.write(": ", into: &output)
        writer.write(store.extracting(field.value.range), into: &output)
        writer.write("\r\n", into: &output)
        index += 1
      }
    }
    return writer.position
  }

  private func copyRun(from first: Int, _ writer: inout ByteWriter, _ output: inout MutableRawSpan) -> Int {
    let start = fields[first].name.start
    var end = fields[first].lineEnd
    var index = first + 1
    while index < fields.count {
      let field = fields[index]
      guard !field.isRemoved, field.isWholeLine, field.name.offset == end else { break }
      end = field.lineEnd
      index += 1
    }
    writer.write(bytes.extracting(start..<Int(end)), into: &output)
    return index
  }
}
