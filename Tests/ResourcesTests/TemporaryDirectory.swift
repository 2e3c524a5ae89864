import Foundation

/// A directory that is gone with the test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "sallyport-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  /// Writes a file, with the directories above it, and answers its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) -> String {
    let file = URL(filePath: path).appending(path: name)
    try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: file.path(), contents: Data(bytes))
    return file.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
