/// Versions of TLS, with their numbers on the wire.
package enum TLSVersion: Int32, Sendable, Comparable {
  case tls10 = 0x0301
  case tls11 = 0x0302
  case tls12 = 0x0303
  case tls13 = 0x0304

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
