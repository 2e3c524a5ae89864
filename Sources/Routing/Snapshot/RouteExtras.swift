/// What few routes ask for. A stream looks at these bits; without any of them it does nothing more.
///
/// (`public`, because only public code is inlined into other targets.)
@frozen
public struct RouteFeatures: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Whether all of `members` are among them.
  @inlinable
  public func contains(_ members: RouteFeatures) -> Bool { rawValue & members.rawValue == members.rawValue }

  @inlinable
  public var isEmpty: Bool { rawValue == 0 }

  /// `fault` may delay or abort the request.
  @inlinable
  public static var fault: RouteFeatures { RouteFeatures(rawValue: 1 << 0) }

  /// `corsPolicy` answers preflights and marks responses.
  @inlinable
  public static var cors: RouteFeatures { RouteFeatures(rawValue: 1 << 1) }

  /// Copies of the request go to `mirrors`.
  @inlinable
  public static var mirrors: RouteFeatures { RouteFeatures(rawValue: 1 << 2) }

  /// The retry policy covers failures after the body began to leave: a copy of it is kept.
  @inlinable
  public static var keepsBody: RouteFeatures { RouteFeatures(rawValue: 1 << 3) }

  /// Header values of the route or its destinations hold command operators.
  @inlinable
  public static var valueOperators: RouteFeatures { RouteFeatures(rawValue: 1 << 4) }

  /// `match[].statPrefix`: requests are counted by it.
  @inlinable
  public static var statistics: RouteFeatures { RouteFeatures(rawValue: 1 << 5) }
}

/// The settings behind `RouteFeatures`.
package struct RouteExtras: Sendable, Hashable {
  package var fault: Fault?
  package var cors: CORSRules?
  package var mirrors: [Mirror] = []
  package var statPrefix: String?

  package init() {}
}

/// Delays and errors made on purpose (VirtualService `http[].fault`).
package struct Fault: Sendable, Hashable {
  /// How a request is aborted.
  package enum Abort: Sendable, Hashable {
    /// 200 to 599
    case http(Int)
    /// A gRPC status code, 0 to 16.
    case grpc(Int)
  }

  package var delayMilliseconds: Int32 = 0
  /// Of a million requests, how many are delayed.
  package var delayShare: Int32 = 0
  package var abort: Abort?
  /// Of a million requests, how many are aborted.
  package var abortShare: Int32 = 0

  /// What shares are parts of: Istio's percentages go down to 0.0001.
  package static let whole = 1_000_000

  package init() {}
}

/// Which pages of other origins may call (VirtualService `http[].corsPolicy`), as values of response fields. Empty
/// values are not sent.
package struct CORSRules: Sendable, Hashable {
  /// How an origin is compared.
  package enum Origin: Sendable, Hashable {
    /// `*`
    case any
    case exact([UInt8])
    case prefix([UInt8])
    case regex(Int32)
  }

  package var origins: [Origin] = []
  package var allowMethods: [UInt8] = []
  package var allowHeaders: [UInt8] = []
  package var exposeHeaders: [UInt8] = []
  /// In seconds.
  package var maxAge: [UInt8] = []
  package var allowCredentials = false
  /// `unmatchedPreflights`: a preflight of an origin that is not allowed goes to the upstream, as in Istio by default.
  package var forwardsUnmatchedPreflights = true

  package init() {}
}

/// Where copies of requests go (VirtualService `http[].mirrors`).
package struct Mirror: Sendable, Hashable {
  /// In `Snapshot.clusters`.
  package var cluster: Int32
  /// Of a million requests, how many are copied.
  package var share: Int32
}

extension Snapshot {
  /// The settings behind a route's features.
  package func extras(of route: Route) -> RouteExtras? {
    route.extras >= 0 ? routeExtras[Int(route.extras)] : nil
  }
}
