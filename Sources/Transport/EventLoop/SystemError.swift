import CLinux

/// A system call that failed, with what the kernel said.
package struct SystemError: Error, CustomStringConvertible, Equatable {
  /// The call, and what it was for: `bind 0.0.0.0:443`.
  package let call: String
  /// The `errno` value.
  package let code: Int32

  /// Takes the reason from `errno`.
  package init(call: String) {
    self.call = call
    self.code = shim_errno()
  }

  package init(call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  /// `bind 0.0.0.0:443: Permission denied`.
  package var description: String { "\(call): \(SystemError.text(of: code))" }

  /// The kernel's words for an `errno` value.
  package static func text(of code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
