import CLinux

/// Starts programs.
enum ChildProcess {
  /// Starts `path` with `arguments` (the first is its name) and the environment of this process with additions. The
  /// child gets default signal handling. Returns 0 or an `errno` value.
  static func start(_ path: String, _ arguments: [String], environment: [String], child: inout pid_t) -> Int32 {
    // The path must lead to this program also when /proc/self is the child's.
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink(path, &buffer, buffer.count - 1)
    let program =
      length > 0 ? String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : path
    let names = Set(environment.map { $0.prefix { $0 != "=" } })
    let inherited = Environment.all().filter { !names.contains($0.prefix { $0 != "=" }) }
    return unsafe CStrings.with(arguments) { argv in
      unsafe CStrings.with(inherited + environment) { envp in
        unsafe shim_spawn(&child, program, argv, envp)
      }
    }
  }
}

/// The environment of this process.
private enum Environment {
  static func all() -> [String] {
    var result: [String] = []
    var index = 0
    while let entry = unsafe shim_environment(Int32(index)) {
      unsafe result.append(String(cString: entry))
      index += 1
    }
    return result
  }
}

/// Lists of strings as C wants them.
private enum CStrings {
  static func with<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { unsafe list[index] = strdup(string) }
    unsafe list[strings.count] = nil
    defer {
      for index in strings.indices { unsafe free(list[index]) }
      unsafe list.deallocate()
    }
    return unsafe body(list)
  }
}
