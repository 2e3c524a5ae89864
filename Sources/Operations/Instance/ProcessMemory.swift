import CLinux
import Resources

/// Memory that starting took and running does not need.
enum ProcessMemory {
  /// Gives back free heap, and the pages of program text that only starting has touched: reading YAML, parsing
  /// arguments, loading certificates. They are clean copies of the file; what is needed again comes back from the page
  /// cache. Hundreds of idle instances on a machine are the normal case, so this is worth two dozen page faults.
  static func releaseStartup() {
    shim_trim_memory()
    guard let maps = FileSystem.read("/proc/self/maps") else { return }
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      // Only text: never written, so nothing can be lost. Relocated data looks like read-only data and must stay.
      guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
      let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, bounds[1] > bounds[0] else { continue }
      shim_drop_pages(bounds[0], Int(bounds[1] - bounds[0]))
    }
  }
}
