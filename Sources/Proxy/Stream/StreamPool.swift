import Transport

/// Streams of one worker, for reuse: after warm-up a request allocates nothing. Streams live as long as the worker.
final class StreamPool {
  private var owned: [Stream] = []
  private var free: [Ref<Stream>] = []
  private var worker: Ref<Worker>?

  /// Says whose streams these are, before the first is taken.
  func serve(_ worker: Worker) {
    self.worker = Ref(worker)
  }

  func take() -> Ref<Stream> {
    if let stream = free.popLast() { return stream }
    guard let worker else { preconditionFailure("a stream pool belongs to a worker") }
    let stream = worker.with { Stream(worker: $0) }
    owned.append(stream)
    free.reserveCapacity(owned.count)
    return Ref(stream)
  }

  func give(_ stream: Stream) {
    free.append(Ref(stream))
  }

  /// Frees the heads of all but a few of the streams that nobody uses; those that were used last are kept as they are.
  func shrink() {
    for stream in free.dropLast(Self.keptWhole) { stream.with { $0.releaseMemory() } }
  }

  private static let keptWhole = 16
}
