import CLinux

/// Calls that other targets need without importing the C library.
package enum SystemCalls {
  /// Closes a descriptor that no object owns.
  package static func close(_ descriptor: Int32) {
    CLinux.close(descriptor)
  }
}
