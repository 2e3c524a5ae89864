import CLinux
import Resources
import Transport

/// The files that `certs init` makes: a CA, and for each use a folder that works as a mounted secret.
package struct DevelopmentCertificates {
  private let directory: String
  private let hosts: [String]
  private let upstreams: [String]

  package init(directory: String, hosts: [String], upstreams: [String]) {
    self.directory = directory
    self.hosts = hosts
    self.upstreams = upstreams
  }

  /// Makes what is missing, or everything.
  ///
  /// - Returns: the files that were made.
  /// - Throws: `SystemError` or `TLSConfigurationError`.
  package func make(force: Bool) throws -> [String] {
    var made: [String] = []
    try makeDirectory(directory)
    let authority = try authority(force: force, &made)
    try issue("httpbin-credential", authority, names: hosts + ["localhost"], usage: .server, force, &made)
    try issue("upstream", authority, names: upstreams + ["localhost", "127.0.0.1"], usage: .server, force, &made)
    try issue("client", authority, names: ["client.example.com"], usage: .client, force, &made)
    return made
  }

  private func authority(force: Bool, _ made: inout [String]) throws -> DevelopmentPKI {
    if !force, let certificate = FileSystem.read("\(directory)/ca.crt"),
      let key = FileSystem.read("\(directory)/ca.key"),
      let known = DevelopmentPKI(pair: .init(certificatePEM: certificate, keyPEM: key))
    {
      return known
    }
    let fresh = try DevelopmentPKI(name: "Sallyport development CA")
    try write(fresh.authority.certificatePEM, "ca.crt", mode: 0o644, &made)
    try write(fresh.authority.keyPEM, "ca.key", mode: 0o600, &made)
    return fresh
  }

  private func issue(
    _ folder: String, _ authority: DevelopmentPKI, names: [String], usage: DevelopmentPKI.Usage, _ force: Bool,
    _ made: inout [String]
  ) throws {
    try makeDirectory("\(directory)/\(folder)")
    if !force, isGood(folder, names, authority) { return }
    let pair = try authority.issue(name: names[0], names: names, usage: usage)
    try write(pair.certificatePEM, "\(folder)/tls.crt", mode: 0o644, &made)
    try write(pair.keyPEM, "\(folder)/tls.key", mode: 0o600, &made)
    try write(authority.authority.certificatePEM, "\(folder)/ca.crt", mode: 0o644, &made)
  }

  /// Present, for all the names, of this authority, and good for another week.
  private func isGood(_ folder: String, _ names: [String], _ authority: DevelopmentPKI) -> Bool {
    guard let pem = FileSystem.read("\(directory)/\(folder)/tls.crt"), let facts = CertificateFacts(pem: pem),
      FileSystem.read("\(directory)/\(folder)/tls.key") != nil,
      FileSystem.read("\(directory)/\(folder)/ca.crt") == authority.authority.certificatePEM
    else { return false }
    return names.allSatisfy { facts.names.contains($0) } && facts.notAfter > TimeText.epochSeconds + 7 * 86_400
  }

  private func makeDirectory(_ path: String) throws(SystemError) {
    guard unsafe mkdir(path, 0o755) == 0 || shim_errno() == EEXIST else { throw SystemError(call: "mkdir \(path)") }
  }

  private func write(_ bytes: [UInt8], _ name: String, mode: Int32, _ made: inout [String]) throws(SystemError) {
    let path = "\(directory)/\(name)"
    let code = unsafe shim_write_private_file(path, bytes, bytes.count, mode)
    guard code == 0 else { throw SystemError(call: "write \(path)", code: code) }
    made.append(path)
  }

  /// All certificates of a directory with the days that are left; nil when it cannot be read.
  package static func table(of directory: String) -> String? {
    guard FileSystem.isDirectory(directory) == true else { return nil }
    var table = Table(["FILE", "SUBJECT", "NAMES", "NOT AFTER", "DAYS LEFT"])
    for path in certificates(in: directory, depth: 0) {
      guard let pem = FileSystem.read(path), let facts = CertificateFacts(pem: pem) else { continue }
      let days = (facts.notAfter - TimeText.epochSeconds) / 86_400
      table.add([
        path, facts.subject, facts.names.joined(separator: ","), TimeText.iso(facts.notAfter * 1000), "\(days)",
      ])
    }
    return table.text
  }

  private static func certificates(in directory: String, depth: Int) -> [String] {
    FileSystem.names(in: directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      if FileSystem.isDirectory(path) == true { return depth < 4 ? certificates(in: path, depth: depth + 1) : [] }
      return name.hasSuffix(".crt") || name.hasSuffix(".pem") || name == "cert" ? [path] : []
    }
  }
}
