/// One field: where its name and value lie in the block's store.
@frozen
package struct HeaderField: Sendable {
  package var name: ByteRange
  package var value: ByteRange
  package var token: HeaderName
  /// The field no longer counts; its bytes stay where they are.
  package var isRemoved: Bool
  /// The bytes "name: value CRLF" lie together in the store, so that runs of fields can be copied in one piece.
  var isWholeLine: Bool
}

/// The fields of a message, whatever version of HTTP it came in: one byte store and a table.
///
/// Original order and case are kept. Edits change the table and append to the store; the bytes that came are never
/// moved. Reused for message after message, so a warm block allocates nothing.
package struct HeaderBlock: ~Copyable {
  private var store: [UInt8]
  private var fields: [HeaderField]
  private var removedCount = 0

  /// A block that ballooned gives its memory back when it is cleared.
  private static let keptBytes = 16 * 1024
  private static let keptFields = 128

  package init(byteCapacity: Int, fieldCapacity: Int) {
    store = []
    fields = []
    store.reserveCapacity(byteCapacity)
    fields.reserveCapacity(fieldCapacity)
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
    get { store.span.raw }
  }

  /// How many bytes the store holds.
  package var byteCount: Int { store.count }

  @inline(__always)
  package func field(at index: Int) -> HeaderField { fields[index] }

  /// Forgets everything, keeps the memory.
  package mutating func removeAll() {
    if store.capacity > Self.keptBytes { store = [] } else { store.removeLast(store.count) }
    if fields.capacity > Self.keptFields { fields = [] } else { fields.removeLast(fields.count) }
    removedCount = 0
  }

  // MARK: Filling

  /// Copies bytes into the store.
  package mutating func intern(_ span: RawSpan) -> ByteRange {
    let range = ByteRange(offset: store.count, count: span.byteCount)
    unsafe span.withUnsafeBytes { unsafe store.append(contentsOf: $0) }
    return range
  }

  /// Copies bytes of the store to its end.
  mutating func internCopy(_ range: ByteRange) -> ByteRange {
    let copy = ByteRange(offset: store.count, count: Int(range.count))
    store.append(contentsOf: store[range.range])
    return copy
  }

  /// Makes `Host` say what an absolute target said.
  mutating func setValueOfHost(_ range: ByteRange) {
    let index = firstIndex(of: .host)
    if index >= 0 { return setValue(at: index, range) }
    let name = intern(HeaderName.host.text)
    fields.append(HeaderField(name: name, value: range, token: .host, isRemoved: false, isWholeLine: false))
  }

  /// Copies a constant into the store.
  package mutating func intern(_ text: StaticString) -> ByteRange {
    let range = ByteRange(offset: store.count, count: text.utf8CodeUnitCount)
    text.withUTF8Buffer { unsafe store.append(contentsOf: $0) }
    return range
  }

  /// Adds a field whose line, with ": " and CRLF, is in the store already.
  mutating func addParsed(name: ByteRange, value: ByteRange, token: HeaderName, isWholeLine: Bool) {
    fields.append(HeaderField(name: name, value: value, token: token, isRemoved: false, isWholeLine: isWholeLine))
  }

  /// Adds a field with a known name.
  package mutating func append(_ token: HeaderName, _ value: RawSpan) {
    let name = intern(token.text)
    store.append(Octet.colon)
    store.append(Octet.space)
    finishLine(name, intern(value), token)
  }

  /// Adds a field with a known name and a constant value.
  package mutating func append(_ token: HeaderName, _ value: StaticString) {
    let name = intern(token.text)
    store.append(Octet.colon)
    store.append(Octet.space)
    finishLine(name, intern(value), token)
  }

  /// Adds a field with a known name and a decimal number.
  package mutating func append(_ token: HeaderName, _ number: Int) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    let start = Self.writeDecimal(number, into: &digits)
    append(token, digits.span.raw.extracting(droppingFirst: start))
  }

  /// Adds a field with any name; both must be valid.
  package mutating func append(name: RawSpan, value: RawSpan) {
    let token = HeaderName.resolve(name)
    let range = intern(name)
    store.append(Octet.colon)
    store.append(Octet.space)
    finishLine(range, intern(value), token)
  }

  private mutating func finishLine(_ name: ByteRange, _ value: ByteRange, _ token: HeaderName) {
    store.append(Octet.carriageReturn)
    store.append(Octet.lineFeed)
    fields.append(HeaderField(name: name, value: value, token: token, isRemoved: false, isWholeLine: true))
  }

  private static func writeDecimal(_ number: Int, into digits: inout InlineArray<20, UInt8>) -> Int {
    var rest = number.magnitude
    var index = 20
    repeat {
      index -= 1
      digits[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
      rest /= 10
    } while rest > 0
    return index
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

  /// A copy of some bytes, for rare edits that need them while the block changes.
  func copy(of range: ByteRange) -> [UInt8] { Array(store[range.range]) }

  /// Compares bytes of the store with `other` without regard to case.
  func equalsIgnoringCase(_ range: ByteRange, _ other: RawSpan) -> Bool {
    guard Int(range.count) == other.byteCount else { return false }
    let left = bytes.extracting(range.range).octets
    let right = other.octets
    for index in 0..<left.count where Octet.lowercased(left[index]) != Octet.lowercased(right[index]) { return false }
    return true
  }

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
    let name = store.span.raw.extracting(range.range).octets
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

  /// Removes the field at `index`.
  package mutating func remove(at index: Int) {
    guard !fields[index].isRemoved else { return }
    fields[index].isRemoved = true
    removedCount += 1
  }

  /// Gives the field at `index` the value `range` of the store.
  package mutating func setValue(at index: Int, _ range: ByteRange) {
    fields[index].value = range
    fields[index].isWholeLine = false
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
        let store = store.span.raw
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
    var end = lineEnd(fields[first])
    var index = first + 1
    while index < fields.count, !fields[index].isRemoved, fields[index].isWholeLine, fields[index].name.start == end {
      end = lineEnd(fields[index])
      index += 1
    }
    writer.write(store.span.raw.extracting(start..<end), into: &output)
    return index
  }

  /// Behind the CRLF; optional white space may stand before it.
  private func lineEnd(_ field: HeaderField) -> Int {
    let bytes = store.span
    var end = field.value.end
    while bytes[end] != Octet.lineFeed { end += 1 }
    return end + 1
  }
}
