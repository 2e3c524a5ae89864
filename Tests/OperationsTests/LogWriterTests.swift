import CLinux
import Testing

@testable import Operations

/// The log writer: what is written, what is lost, and that it is counted.
@Suite struct LogWriterTests {
  private func pipe() -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    #expect(unsafe CLinux.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  private func read(_ descriptor: Int32, count: Int) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < count {
      let got = unsafe CLinux.read(descriptor, &buffer, buffer.count)
      guard got > 0 else { break }
      bytes += buffer[0..<got]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `lines arrive in their order`() throws {
    let (reader, writer) = pipe()
    defer { close(reader) }
    let log = try LogWriter(descriptor: writer, capacity: 4096)
    #expect(log.write(Array("one\n".utf8)))
    #expect(log.write(Array("two\n".utf8)))
    #expect(read(reader, count: 8) == "one\ntwo\n")
    log.flush()
    #expect(log.lostLines == 0)
  }

  @Test func `lines that nobody can take are counted`() throws {
    let log = try LogWriter(path: "/dev/full")
    #expect(log.write(Array("one\ntwo\nthree\n".utf8)))
    log.flush()
    #expect(log.lostLines == 3)
    log.resetLostLines()
    #expect(log.lostLines == 0)
  }

  @Test func `a line for which there is no room is refused`() throws {
    let (reader, writer) = pipe()
    defer { close(reader) }
    let log = try LogWriter(descriptor: writer, capacity: 8)
    #expect(!log.write(Array("123456789".utf8)))
    #expect(log.write(Array("1234567\n".utf8)))
    // The reader is not closed before it has come.
    #expect(read(reader, count: 8) == "1234567\n")
  }
}
