import CLinux
import Resources

/// The processors that this process may use: its affinity, and the quota of its cgroup.
package enum Processors {
  package static var available: Int {
    let online = max(1, Int(shim_affinity_count()))
    guard let quota else { return online }
    return max(1, min(online, quota))
  }

  /// `cpu.max` of cgroup v2, rounded up; nil for no limit.
  private static var quota: Int? {
    guard let bytes = FileSystem.read("/sys/fs/cgroup/cpu.max") else { return nil }
    let parts = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard parts.count == 2, let limit = Int(parts[0]), let period = Int(parts[1]), period > 0 else { return nil }
    return (limit + period - 1) / period
  }
}
