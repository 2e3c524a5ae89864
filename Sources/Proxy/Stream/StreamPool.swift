import Transport

/// Streams of one worker, for reuse: after warm-up a request allocates nothing. Streams live as long as the worker.
final class StreamPool {
  private var owned: [Stream] = []
  private var free: [Ref<Stream>] = []
  private unowned(unsafe) let worker: Worker

  init(worker: Worker) {
    unsafe self.worker = worker
  }

  func take() -> Ref<Stream> {
    if let stream = free.popLast() { return stream }
    let stream = unsafe Stream(worker: worker)
    owned.append(stream)
    free.reserveCapacity(owned.count)
    return Ref(stream)
  }

  func give(_ stream: Stream) {
    free.append(Ref(stream))
  }
}
