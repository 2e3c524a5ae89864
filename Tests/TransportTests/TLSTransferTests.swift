import Glibc
import Testing

@testable import Transport

@Suite struct TLSTransferTests {
  let pki: TestPKI

  init() throws { pki = try TestPKI() }

  private func connected() throws -> TLSPair {
    let pair = TLSPair(try pki.listener(), try pki.client())
    #expect(pair.handshake() == (.done(0), .done(0)))
    return pair
  }

  @Test func aLargeTransferSurvivesPartialWritesAndMovedBuffers() throws {
    let pair = try connected()
    let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    var received: [UInt8] = []
    var position = 0
    var waits = 0
    while received.count < sent.count {
      if position < sent.count {
        // A fresh copy each time: what OpenSSL has begun must not depend on where the bytes lie.
        let piece = Array(sent[position..<min(sent.count, position + 16_384)])
        switch unsafe pair.server.write(piece.span.bytes) {
        case .done(let count): position += count
        case .wantWrite: waits += 1
        default: Issue.record("\(pair.server.failure)"); return
        }
        if waits == 0 { continue }
      }
      while case let (.done, bytes) = pair.read(pair.client) { received += bytes }
      waits = 0
    }
    #expect(received == sent)
  }

  @Test func aDrainedSocketIsNotAskedAgain() throws {
    let pair = try connected()
    let message = Array("one".utf8)
    unsafe _ = pair.client.write(message.span.bytes)
    #expect(pair.read(pair.server).progress == .done(3))
    // More has come, but nobody said so: the session answers without asking the kernel.
    unsafe _ = pair.client.write(message.span.bytes)
    let before = pair.server.bytesReceived
    #expect(pair.read(pair.server, signalled: false).progress == .wantRead)
    #expect(pair.server.bytesReceived == before)
    #expect(pair.read(pair.server).progress == .done(3))
  }

  @Test func recordsThatCameTogetherAreReadOneByOneWithoutAnotherSignal() throws {
    let pair = try connected()
    for text in ["one", "two", "three"] { unsafe _ = pair.client.write(Array(text.utf8).span.bytes) }
    #expect(pair.read(pair.server).bytes == Array("one".utf8))
    #expect(pair.server.hasBufferedInput)
    pair.server.releaseIdleBuffers()
    #expect(pair.read(pair.server, signalled: false).bytes == Array("two".utf8))
    #expect(pair.read(pair.server, signalled: false).bytes == Array("three".utf8))
    #expect(!pair.server.hasBufferedInput)
    #expect(pair.read(pair.server, signalled: false).progress == .wantRead)
  }

  @Test func idleBuffersComeBackWhenTheyAreNeeded() throws {
    let pair = try connected()
    for _ in 0..<3 {
      pair.server.releaseIdleBuffers()
      pair.client.releaseIdleBuffers()
      #expect(pair.carry("question", from: pair.client, to: pair.server) == "question")
      #expect(pair.carry("answer", from: pair.server, to: pair.client) == "answer")
    }
  }

  @Test func aGoodbyeIsToldFromACut() throws {
    let polite = try connected()
    #expect(polite.client.shutdown() == .done(0))
    shutdown(polite.clientDescriptor, Int32(SHUT_WR))
    #expect(polite.read(polite.server).progress == .closed)
    #expect(!polite.server.isTruncated)

    let rude = try connected()
    shutdown(rude.clientDescriptor, Int32(SHUT_WR))
    #expect(rude.read(rude.server).progress == .closed)
    #expect(rude.server.isTruncated)
  }

  @Test func anEndBehindAShortReadIsSeenWhenTheKernelHasAnnouncedIt() throws {
    let pair = try connected()
    unsafe _ = pair.client.write(Array("last".utf8).span.bytes)
    shutdown(pair.clientDescriptor, Int32(SHUT_WR))
    pair.server.socketBecameReadable(peerClosed: true)
    #expect(pair.read(pair.server, signalled: false).progress == .done(4))
    #expect(pair.read(pair.server, signalled: false).progress == .closed)
    #expect(pair.server.isTruncated)
  }

  @Test func theOtherDirectionStaysOpenAfterTheEndOfOne() throws {
    let pair = try connected()
    shutdown(pair.clientDescriptor, Int32(SHUT_WR))
    #expect(pair.read(pair.server).progress == .closed)
    #expect(pair.carry("still there", from: pair.server, to: pair.client) == "still there")
  }

  @Test func aPeerThatLeavesDuringTheHandshakeIsCounted() throws {
    let listener = try pki.listener()
    let pair = TLSPair(listener, try pki.client())
    _ = pair.client.handshake()
    shutdown(pair.clientDescriptor, Int32(SHUT_WR))
    #expect(pair.server.handshake() == .wantRead)
    pair.server.socketBecameReadable(peerClosed: true)
    #expect(pair.server.handshake() == .closed)
    #expect(listener.counters.abandoned == 1)
  }

  @Test func garbageBreaksTheConnection() throws {
    let pair = try connected()
    let garbage = [UInt8](repeating: 0x17, count: 100)
    unsafe _ = write(pair.clientDescriptor, garbage, garbage.count)
    #expect(pair.read(pair.server).progress == .failed)
    #expect(pair.server.failure.contains("TLS_error:|"))
    #expect(pair.server.shutdown() == .done(0))
  }
}
