/// Where a request is on its way. Transitions happen in `Stream` only.
///
///     idle ─begin─▶ routing ─▶ awaitingEndpoint ─▶ awaitingConnection ─▶ awaitingResponse ─▶ streaming ─▶ idle
///                      │              │                   │      ▲               │                         ▲
///                      │              └── backingOff ◀────┴──────┼───────────────┘                         │
///                      └── local reply (redirect, 404, 503, …) ──┴─────────────────────────────────────────┘
package enum StreamState: UInt8 {
  /// In the pool, or attached to a connection whose request head is not complete.
  case idle
  /// The head is complete; the route is being looked up.
  case routing
  /// A fault is injected: the request waits.
  case delayed
  /// The cluster's name is being resolved for the first time.
  case awaitingEndpoint
  /// An upstream connection is being established.
  case awaitingConnection
  /// A retry is due after a pause.
  case backingOff
  /// The request is on its way upstream; nothing of the response came.
  case awaitingResponse
  /// The response head went downstream; the body follows.
  case streaming
}
