import CLinux

/// Standard input, output and error.
package enum StandardDescriptors {
  /// Puts /dev/null in the place of those that are closed. The first socket would get the number otherwise, and a line of
  /// the log would be sent to a client.
  package static func fill() { shim_fill_standard_descriptors() }
}
