/// Numbers for the hosts of clusters, given once and kept: unlike a cluster's index they mean the same in every snapshot,
/// so counters may be kept by them across reloads.
struct RequestHosts {
  /// The hosts by their numbers.
  private(set) var names: [String] = []
  private var numbers: [String: Int32] = [:]

  /// The number of a host; a new one for a host that was never seen.
  mutating func number(of host: String) -> Int32 {
    if let known = numbers[host] { return known }
    let number = Int32(names.count)
    numbers[host] = number
    names.append(host)
    return number
  }
}
