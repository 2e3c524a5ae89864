/// Puts heads and chunk framing into HTTP/1 bytes.
package enum HTTP1 {
  /// The `connection` field that a response gets.
  package enum ConnectionField: Sendable {
    case absent, close, keepAlive, upgrade
  }

  /// Room for the start line's fixed parts and the fields that the writer adds.
  static let headOverhead = 128

  /// Writes a chunk's size line.
  package static func writeChunkHeader(_ count: Int, into output: inout MutableRawSpan) -> Int {
    var writer = ByteWriter()
    writer.write(hexadecimal: count, into: &output)
    writer.write("\r\n", into: &output)
    return writer.position
  }

  /// Writes CRLF.
  package static func writeLineEnd(into output: inout MutableRawSpan) -> Int {
    var writer = ByteWriter()
    writer.write("\r\n", into: &output)
    return writer.position
  }

  /// An upper bound for `writeLastChunk`.
  package static func lastChunkByteCount(_ trailers: borrowing HeaderBlock) -> Int {
    trailers.http1ByteCount + 8
  }

  /// Writes the last chunk, the trailers and the empty line.
  package static func writeLastChunk(_ trailers: borrowing HeaderBlock, into output: inout MutableRawSpan) -> Int {
    var writer = ByteWriter()
    writer.write("0\r\n", into: &output)
    var end = ByteWriter(position: trailers.write(into: &output, at: writer.position))
    end.write("\r\n", into: &output)
    return end.position
  }
}

extension RequestHead {
  /// An upper bound for `writeHTTP1`.
  package var http1ByteCount: Int { headers.http1ByteCount + HTTP1.headOverhead }

  /// Writes the head as HTTP/1.1.
  package borrowing func writeHTTP1(into output: inout MutableRawSpan) -> Int {
    var writer = ByteWriter()
    writer.write(bytes(methodName), into: &output)
    writer.write(" ", into: &output)
    writer.write(bytes(target), into: &output)
    writer.write(" HTTP/1.1\r\n", into: &output)
    var end = ByteWriter(position: headers.write(into: &output, at: writer.position))
    if case .chunked = framing { end.write("transfer-encoding: chunked\r\n", into: &output) }
    if wantsUpgrade {
      end.write("connection: upgrade\r\nupgrade: ", into: &output)
      end.write(bytes(upgrade), into: &output)
      end.write("\r\n", into: &output)
    }
    end.write("\r\n", into: &output)
    return end.position
  }
}

extension ResponseHead {
  /// An upper bound for `writeHTTP1`.
  package var http1ByteCount: Int { headers.http1ByteCount + HTTP1.headOverhead }

  /// Whether the response to a request with `method` has a body (RFC 9110, section 6.4.1).
  package func hasBody(for method: HTTPMethod) -> Bool {
    method != .head && status >= 200 && status != 204 && status != 304
  }

  /// Writes the head as HTTP/1.1.
  ///
  /// - Parameters:
  ///   - framing: how the body will be framed on this connection.
  ///   - connection: the `connection` field.
  package borrowing func writeHTTP1(
    into output: inout MutableRawSpan, framing: BodyFraming, connection: HTTP1.ConnectionField
  ) -> Int {
    var writer = ByteWriter()
    writer.write("HTTP/1.1 ", into: &output)
    writer.write(status: status, into: &output)
    writer.write(" ", into: &output)
    if reason.isEmpty {
      writer.write(StatusPhrase.text(of: status), into: &output)
    } else {
      writer.write(bytes(reason), into: &output)
    }
    writer.write("\r\n", into: &output)
    var end = ByteWriter(position: headers.write(into: &output, at: writer.position))
    if case .chunked = framing { end.write("transfer-encoding: chunked\r\n", into: &output) }
    switch connection {
    case .absent: break
    case .close: end.write("connection: close\r\n", into: &output)
    case .keepAlive: end.write("connection: keep-alive\r\n", into: &output)
    case .upgrade: end.write("connection: upgrade\r\n", into: &output)
    }
    end.write("\r\n", into: &output)
    return end.position
  }
}
