import CLinux

/// Calls that other targets need without importing the C library.
package enum SystemCalls {
  /// Closes a descriptor that no object owns.
  package static func close(_ descriptor: Int32) {
    CLinux.close(descriptor)
  }

  /// Gives the pages of free heap memory back to the system. Takes milliseconds where there are many, and holds up other
  /// threads that allocate meanwhile.
  package static func trimMemory() {
    shim_trim_memory()
  }
}
