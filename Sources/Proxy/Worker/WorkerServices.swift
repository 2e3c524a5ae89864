import Transport

/// What workers ask of the control side. Called on worker threads; nothing here blocks or answers: results are posted
/// back.
package struct WorkerServices: Sendable {
  /// Severity of a line of the process log.
  package enum LogLevel: Int, Sendable { case debug, info, warning, error }

  /// Writes a line to the process log.
  package let log: @Sendable (_ level: LogLevel, _ component: String, _ message: String) -> Void
  /// Resolves the names of a cluster again.
  package let resolve: @Sendable (_ cluster: String) -> Void
  /// The worker has nothing active any more while it drains.
  package let workerDrained: @Sendable (_ worker: Int) -> Void
  /// An endpoint reached a limit of its cluster's outlier detection; `endpoints` is how many the cluster has.
  let endpointFailed:
    @Sendable (_ cluster: String, _ address: SocketAddress, _ endpoints: Int, _ cause: OutlierCause) -> Void
  /// Gives a connection, accepted at `address`, to another worker.
  let handOver: @Sendable (_ worker: Int, _ descriptor: Int32, _ peer: SocketAddress, _ address: SocketAddress) -> Void
  /// Gives free memory back to the system, soon.
  let trimMemory: @Sendable () -> Void
  /// Takes over access log bytes, whole lines; false when the writer cannot take more and the lines are lost.
  package let writeAccessLog: @Sendable (_ lines: [UInt8]) -> Bool

  init(
    log: @escaping @Sendable (LogLevel, String, String) -> Void,
    resolve: @escaping @Sendable (String) -> Void,
    workerDrained: @escaping @Sendable (Int) -> Void,
    endpointFailed: @escaping @Sendable (String, SocketAddress, Int, OutlierCause) -> Void,
    handOver: @escaping @Sendable (Int, Int32, SocketAddress, SocketAddress) -> Void,
    trimMemory: @escaping @Sendable () -> Void,
    writeAccessLog: @escaping @Sendable ([UInt8]) -> Bool
  ) {
    self.log = log
    self.resolve = resolve
    self.workerDrained = workerDrained
    self.endpointFailed = endpointFailed
    self.handOver = handOver
    self.trimMemory = trimMemory
    self.writeAccessLog = writeAccessLog
  }
}
