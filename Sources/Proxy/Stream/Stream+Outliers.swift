import Routing
import Transport

/// What became of an attempt, for clusters that eject endpoints.
extension Stream {
  /// The endpoint answered with the status that is in `response`.
  func noteAnswer() {
    let status = response.status
    note { $0.answered(status) }
  }

  /// The endpoint could not be reached, broke off, or took too long.
  func noteFailure() {
    note { $0.failed() }
  }

  /// A connection to the endpoint is there.
  func noteConnection() {
    endpoint?.with { $0.outliers?.connected() }
  }

  private func note(_ event: (OutlierRecord) -> OutlierCause?) {
    guard let endpoint, let cluster, let cause = endpoint.with({ $0.outliers.flatMap(event) }) else { return }
    let address = endpoint.with { $0.address }
    cluster.with { cluster in
      worker.with { $0.services.endpointFailed(cluster.config.name, address, cluster.endpoints.count, cause) }
    }
  }
}
