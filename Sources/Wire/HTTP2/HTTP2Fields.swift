import CNghttp2

/// Heads as nghttp2 wants them. The pointers lie in the head's store, which does not change during the call; nghttp2
/// copies what it keeps, and puts names into lower case then.
extension RequestHead {
  @unsafe
  borrowing func withFields<Result>(
    isHTTPS: Bool, into fields: inout HTTP2FieldList, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
  ) -> Result {
    unsafe fields.begin(room: headers.tableCount + 4)
    return unsafe headers.bytes.withUnsafeBytes { store in
      unsafe fields.append(HTTP2Field.make(":method", store, methodName))
      if method != .connect {
        unsafe fields.append(HTTP2Field.make(":scheme", isHTTPS ? "https" : "http"))
        unsafe fields.append(HTTP2Field.make(":path", store, target))
      }
      if !authority.isEmpty { unsafe fields.append(HTTP2Field.make(":authority", store, authority)) }
      unsafe HTTP2Field.add(headers, store, to: &fields, except: .host)
      return unsafe body(fields.fields)
    }
  }
}

extension ResponseHead {
  @unsafe
  borrowing func withFields<Result>(
    into fields: inout HTTP2FieldList, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
  ) -> Result {
    unsafe fields.begin(room: headers.tableCount + 1)
    var digits = InlineArray<3, UInt8>(repeating: 0x30)
    digits[0] += UInt8(truncatingIfNeeded: status / 100 % 10)
    digits[1] += UInt8(truncatingIfNeeded: status / 10 % 10)
    digits[2] += UInt8(truncatingIfNeeded: status % 10)
    return unsafe digits.span.raw.withUnsafeBytes { status in
      unsafe headers.bytes.withUnsafeBytes { store in
        unsafe fields.append(HTTP2Field.make(":status", status, ByteRange(offset: 0, count: 3)))
        unsafe HTTP2Field.add(headers, store, to: &fields, except: .other)
        return unsafe body(fields.fields)
      }
    }
  }
}

extension HeaderBlock {
  /// Only the fields, as trailers have them.
  @unsafe
  borrowing func withFields<Result>(
    into fields: inout HTTP2FieldList, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
  ) -> Result {
    unsafe fields.begin(room: tableCount)
    return unsafe bytes.withUnsafeBytes { store in
      unsafe HTTP2Field.add(self, store, to: &fields, except: .other)
      return unsafe body(fields.fields)
    }
  }
}

/// Single fields.
@unsafe
private enum HTTP2Field {
  @inline(__always)
  private static func make(
    _ name: UnsafePointer<UInt8>?, _ nameCount: Int, _ value: UnsafePointer<UInt8>?, _ valueCount: Int,
    _ flags: UInt32
  ) -> nghttp2_nv {
    unsafe nghttp2_nv(
      name: UnsafeMutablePointer(mutating: name), value: UnsafeMutablePointer(mutating: value), namelen: nameCount,
      valuelen: valueCount, flags: UInt8(flags))
  }

  /// A name that is a constant, in lower case already: nghttp2 need not keep a copy.
  private static let constantName = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue

  @inline(__always)
  static func make(
    _ name: StaticString, _ store: UnsafeRawBufferPointer, _ value: ByteRange, _ flags: UInt32 = 0
  ) -> nghttp2_nv {
    unsafe make(name.utf8Start, name.utf8CodeUnitCount, at(store, value), Int(value.count), flags | constantName)
  }

  static func make(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
    unsafe make(
      name.utf8Start, name.utf8CodeUnitCount, value.utf8Start, value.utf8CodeUnitCount,
      constantName | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
  }

  static func add(
    _ block: borrowing HeaderBlock, _ store: UnsafeRawBufferPointer, to fields: inout HTTP2FieldList, except: HeaderName
  ) {
    for index in 0..<block.tableCount {
      let field = block.field(at: index)
      if field.isRemoved || (field.token == except && except != .other) { continue }
      if field.token == .other {
        unsafe fields.append(
          make(at(store, field.name), Int(field.name.count), at(store, field.value), Int(field.value.count), 0))
      } else {
        // A value that never comes again is of no use in the table of the compression: it drives out those that do, and
        // nghttp2 compares each new one with all that are there.
        let flags = field.token == .xRequestID ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : 0
        unsafe fields.append(make(field.token.text, store, field.value, flags))
      }
    }
  }

  /// Ranges of a head lie in its store: that is checked, as everywhere.
  private static func at(_ store: UnsafeRawBufferPointer, _ range: ByteRange) -> UnsafePointer<UInt8>? {
    precondition(range.end <= store.count)
    return unsafe store.baseAddress.map { unsafe ($0 + range.start).assumingMemoryBound(to: UInt8.self) }
  }
}
