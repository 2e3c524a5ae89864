/// A growing row of plain values that has one owner. An `Array` in its place asks at every write whether it is shared,
/// which was forty calls of the runtime for a request with HTTP/2 on both sides.
///
/// Bounds are checked like an array's. Memory comes with the first element.
@safe
struct OwnedBuffer<Element: BitwiseCopyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>?
  /// Elements in use.
  private(set) var count = 0
  /// Elements that there is memory for.
  private(set) var capacity = 0
  /// Elements that the first memory is for.
  private let initialCapacity: Int

  init(initialCapacity: Int) {
    self.initialCapacity = max(1, initialCapacity)
  }

  deinit {
    unsafe base?.deallocate()
  }

  subscript(index: Int) -> Element {
    @inline(__always)
    get {
      precondition(index >= 0 && index < count)
      // There is memory where there is an element.
      return unsafe base.unsafelyUnwrapped[index]
    }
    @inline(__always)
    set {
      precondition(index >= 0 && index < count)
      unsafe base.unsafelyUnwrapped[index] = newValue
    }
  }

  @inline(__always)
  mutating func append(_ element: Element) {
    reserve(1)
    unsafe base.unsafelyUnwrapped.advanced(by: count).initialize(to: element)
    count += 1
  }

  mutating func append(contentsOf other: borrowing OwnedBuffer<Element>) {
    guard let source = unsafe other.base, other.count > 0 else { return }
    reserve(other.count)
    unsafe base.unsafelyUnwrapped.advanced(by: count).initialize(from: source, count: other.count)
    count += other.count
  }

  /// Forgets everything; keeps the memory if it is for at most `kept` elements.
  mutating func removeAll(keeping kept: Int) {
    count = 0
    guard capacity > kept else { return }
    unsafe base?.deallocate()
    unsafe base = nil
    capacity = 0
  }

  /// Makes room for `room` more elements.
  @inline(__always)
  mutating func reserve(_ room: Int) {
    if capacity - count < room { grow(room) }
  }

  @inline(never)
  private mutating func grow(_ room: Int) {
    let larger = max(initialCapacity, capacity * 2, count + room)
    let target = UnsafeMutablePointer<Element>.allocate(capacity: larger)
    if let old = unsafe base {
      unsafe target.initialize(from: old, count: count)
      unsafe old.deallocate()
    }
    unsafe base = target
    capacity = larger
  }
}

extension OwnedBuffer where Element == UInt8 {
  /// The bytes in use.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // An empty one has no memory, and a span of length 0 needs some address.
      let start = unsafe base ?? UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: count), borrowing: self)
    }
  }

  /// All memory, to write behind the bytes in use; `take` takes what was written.
  var memory: MutableRawSpan {
    @_lifetime(&self)
    @inline(__always)
    mutating get {
      let start = unsafe base ?? UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
      let span = unsafe MutableRawSpan(_unsafeStart: UnsafeMutableRawPointer(start), byteCount: capacity)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Takes into use what was written up to `end`.
  @inline(__always)
  mutating func take(to end: Int) {
    precondition(end >= count && end <= capacity)
    count = end
  }
}
