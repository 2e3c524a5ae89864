import CPcre2
import Wire

/// The regular expressions of a snapshot, compiled once with PCRE2's JIT. They match whole values, as RE2 does in
/// Istio.
@safe
package final class RegexTable: @unchecked Sendable {
  // Compiled codes are immutable and may be used by all workers at once (pcre2api, "Multithreading").
  private var codes = unsafe [OpaquePointer]()
  /// The sources, for messages and dumps.
  package private(set) var sources: [String] = []

  package init() {}

  deinit {
    while let code = unsafe codes.popLast() { unsafe pcre2_code_free_8(code) }
  }

  /// Why an expression was refused.
  package struct CompileError: Error, CustomStringConvertible {
    /// PCRE2's words.
    package let message: String
    /// The byte in the expression where it stopped making sense.
    package let offset: Int
    package var description: String { "\(message) at offset \(offset)" }
  }

  /// Compiles `pattern` and returns its index; equal patterns share one.
  package func add(_ pattern: String, anchored: Bool = true) throws(CompileError) -> Int32 {
    let key = anchored ? pattern : "search:" + pattern
    if let index = sources.firstIndex(of: key) { return Int32(index) }
    var code: Int32 = 0
    var offset = 0
    var options = UInt32(PCRE2_UTF) | UInt32(PCRE2_MATCH_INVALID_UTF) | UInt32(PCRE2_DOLLAR_ENDONLY)
    if anchored { options |= UInt32(PCRE2_ANCHORED) | UInt32(PCRE2_ENDANCHORED) }
    let bytes = Array(pattern.utf8)
    let compiled = unsafe pcre2_compile_8(bytes, bytes.count, options, &code, &offset, nil)
    guard let compiled = unsafe compiled else { throw CompileError(message: Self.text(of: code), offset: offset) }
    _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
    unsafe codes.append(compiled)
    sources.append(key)
    return Int32(sources.count - 1)
  }

  private static func text(of code: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = unsafe pcre2_get_error_message_8(code, &buffer, buffer.count)
    return String(decoding: buffer.prefix(Int(max(0, length))), as: UTF8.self)
  }

  /// Whether the expression matches all of `subject`. One that exceeds its limits does not, and `context` counts it:
  /// nothing may be decided by that.
  package func matches(_ index: Int32, _ subject: RawSpan, _ context: MatchContext) -> Bool {
    let code = unsafe codes[Int(index)]
    let result = unsafe subject.withUnsafeBytes { bytes in
      // PCRE2 wants a non-null subject also for no bytes.
      let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(context.empty)
      return unsafe pcre2_match_8(code, start, bytes.count, 0, 0, context.data, context.limits)
    }
    // Subjects need not be UTF-8: no other failure depends on them.
    if result < 0, result != PCRE2_ERROR_NOMATCH { context.limitsExceeded += 1 }
    return result >= 0
  }

  /// Replaces every match in `subject`; nil when nothing matches, or when `context` counts that the expression exceeded
  /// its limits. In the replacement `\1` stands for a group, and `\\` for a backslash.
  func replacing(
    _ index: Int32, in subject: [UInt8], with replacement: [UInt8], _ context: MatchContext
  ) -> [UInt8]? {
    let translated = Self.translated(replacement)
    var output = [UInt8](repeating: 0, count: subject.count * 2 + translated.count * 4 + 256)
    var length = output.count
    let options = UInt32(PCRE2_SUBSTITUTE_GLOBAL) | UInt32(PCRE2_SUBSTITUTE_UNSET_EMPTY)
    let result = unsafe pcre2_substitute_8(
      codes[Int(index)], subject, subject.count, 0, options, nil, context.limits, translated, translated.count,
      &output, &length)
    if result < 0 { context.limitsExceeded += 1 }
    return result > 0 ? Array(output.prefix(length)) : nil
  }

  /// RE2's replacement as PCRE2 writes it, where only a dollar means something: `${1}` for a group, `$$` for itself.
  private static func translated(_ replacement: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var bytes = replacement.makeIterator()
    while let byte = bytes.next() {
      // What else may follow a backslash is refused when it is read.
      if byte == 0x5C, let next = bytes.next() {
        result += next &- 0x30 < 10 ? [0x24, 0x7B, next, 0x7D] : [next]
      } else {
        result += byte == 0x24 ? [0x24, 0x24] : [byte]
      }
    }
    return result
  }
}

/// One worker's working memory for regular expressions, with the limits that keep a bad one from burning a core.
@safe
package final class MatchContext {
  let data: OpaquePointer
  let limits: OpaquePointer
  let empty: UnsafeMutablePointer<UInt8>
  private let stack: OpaquePointer?
  /// How often an expression gave up.
  fileprivate(set) var limitsExceeded = 0

  private static let matchLimit: UInt32 = 100_000
  private static let depthLimit: UInt32 = 10_000
  private static let heapLimitKilobytes: UInt32 = 1024
  /// Compiled code keeps a frame for each time that a group repeats: `(\w+/)*` over the longest path that is allowed
  /// takes about 2 MB. The memory is reserved, and used as far as it is needed.
  private static let stackBytes = 4 * 1024 * 1024

  package init() {
    unsafe data = pcre2_match_data_create_8(16, nil)
    unsafe limits = pcre2_match_context_create_8(nil)
    unsafe empty = .allocate(capacity: 1)
    unsafe pcre2_set_match_limit_8(limits, Self.matchLimit)
    unsafe pcre2_set_depth_limit_8(limits, Self.depthLimit)
    unsafe pcre2_set_heap_limit_8(limits, Self.heapLimitKilobytes)
    unsafe stack = pcre2_jit_stack_create_8(32 * 1024, Self.stackBytes, nil)
    if let stack = unsafe stack {
      unsafe pcre2_jit_stack_assign_8(limits, nil, UnsafeMutableRawPointer(stack))
    }
  }

  deinit {
    unsafe pcre2_match_data_free_8(data)
    unsafe pcre2_match_context_free_8(limits)
    if let stack = unsafe stack { unsafe pcre2_jit_stack_free_8(stack) }
    unsafe empty.deallocate()
  }
}
