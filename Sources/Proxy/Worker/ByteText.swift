/// A short text of bytes that is rewritten in place for each request: an address, a request id. No heap.
struct ByteText {
  private var storage = InlineArray<112, UInt8>(repeating: 0)
  private(set) var count = 0

  /// Lets `write` fill the text; it returns the length in bytes.
  mutating func set(_ write: (inout MutableRawSpan) -> Int) {
    var span = storage.mutableSpan
    var bytes = unsafe span.mutableBytes
    count = write(&bytes)
  }

  /// The text.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { storage.span.raw.extracting(first: count) }
  }

  /// A copy, where a heap is no matter.
  var copy: [UInt8] { (0..<count).map { storage[$0] } }
}
