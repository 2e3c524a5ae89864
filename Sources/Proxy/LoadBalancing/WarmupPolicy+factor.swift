import Glibc
import Routing

extension WarmupPolicy {
  /// The part of its weight that an endpoint has, `age` milliseconds after it came: Envoy's slow start.
  func factor(age: Int64) -> Double {
    guard age < durationMilliseconds else { return 1 }
    let time = Double(max(1, age)) / Double(durationMilliseconds)
    return max(minimum, aggression == 1 ? time : pow(time, 1 / aggression))
  }

  /// How often weights are worked out anew, in milliseconds: in steps of a hundredth.
  var stepMilliseconds: Int64 { min(1000, max(10, durationMilliseconds / 100)) }
}
