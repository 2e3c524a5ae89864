import Transport

/// Access log lines of one worker, gathered over a loop turn and handed to the writer's thread in one piece.
///
/// The line is formatted in place; the writer takes the array by reference and the worker starts a new one only when
/// the writer still holds the last: two arrays swap, nothing is allocated per request.
final class AccessLogBatch: EventHandler {
  private let loop: EventLoop
  private let services: WorkerServices
  private var lines: [UInt8] = []
  private var isScheduled = false
  private var lineCount = 0
  private(set) var droppedLines = 0

  /// A batch is handed over early when it is this long.
  private static let batchBytes = 64 * 1024

  init(loop: EventLoop, services: WorkerServices) {
    self.loop = loop
    self.services = services
    super.init()
    lines.reserveCapacity(Self.batchBytes)
  }

  /// Appends one line of at most `bytes`; `write` returns its length.
  func append(atMost bytes: Int, _ write: (inout MutableRawSpan) -> Int) {
    Self.append(to: &lines, atMost: bytes, write)
    lineCount += 1
    if lines.count >= Self.batchBytes {
      handOver()
    } else if !isScheduled {
      isScheduled = true
      loop.atEndOfTurn(self)
    }
  }

  private static func append(to lines: inout [UInt8], atMost bytes: Int, _ write: (inout MutableRawSpan) -> Int) {
    let start = lines.count
    lines.append(contentsOf: repeatElement(0, count: bytes))
    let written = fill(&lines, from: start, write)
    lines.removeLast(bytes - written)
  }

  private static func fill(_ lines: inout [UInt8], from start: Int, _ write: (inout MutableRawSpan) -> Int) -> Int {
    var span = lines.mutableSpan
    var all = unsafe span.mutableBytes
    var room = all._mutatingExtracting(droppingFirst: start)
    return write(&room)
  }

  override func turnEnded() {
    isScheduled = false
    handOver()
  }

  private func handOver() {
    guard !lines.isEmpty else { return }
    if !services.writeAccessLog(lines) { droppedLines += lineCount }
    lineCount = 0
    lines.removeAll(keepingCapacity: true)
  }
}
