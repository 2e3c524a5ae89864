import ArgumentParser
import Operations
import Transport

/// Which running instance: by its name, or by the place of its admin endpoints.
struct TargetFlags: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The instance, as NAME[.NAMESPACE] or TYPE/NAME[.NAMESPACE]; without --admin and --admin-base it is "
        + "looked for among those of this machine.",
      valueName: "instance"))
  var target: String?

  @OptionGroup var admin: AdminFlags

  func validate() throws {
    _ = try named
  }

  /// The name that was given.
  var named: InstanceTarget? {
    get throws {
      guard let target else { return nil }
      do {
        return try InstanceTarget(target)
      } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// Asks the instance, or ends with 69 and a hint.
  func get(_ path: String) throws -> AdminClient.Answer { try client.get(path) }

  /// Asks the instance for a change, or ends with 69.
  func post(_ path: String) throws -> AdminClient.Answer { try client.post(path) }

  private var client: AdminFlags {
    get throws {
      guard let named = try named else { return admin }
      return admin.isSaid ? try checked(named) : found(named)
    }
  }

  /// The instance at the place that was said, if it has the name.
  private func checked(_ named: InstanceTarget) throws -> AdminFlags {
    let address = try admin.address()
    if let instance = RunningInstance(at: address), !named.names(instance.name, instance.namespace) {
      fail(
        "\(address) is the instance \(instance.name).\(instance.namespace), not \(named)", ExitStatus.unavailable)
    }
    return admin
  }

  private func found(_ named: InstanceTarget) -> AdminFlags {
    let running = RunningInstance.all()
    let matching = running.filter { named.names($0.name, $0.namespace) }
    let list = { (instances: [RunningInstance]) in
      instances.map { "\($0.name).\($0.namespace) (--admin \($0.admin))" }.joined(separator: ", ")
    }
    if let first = matching.first, matching.count == 1 {
      var flags = admin
      flags.admin = "\(first.admin)"
      return flags
    }
    guard matching.isEmpty else {
      fail("several instances are \(named): \(list(matching)); say which with --admin", ExitStatus.usage)
    }
    var message = "no instance \(named) runs on this machine"
    if let help = named.help(among: running.map { ($0.name, $0.namespace) }) { message += "; \(help)" }
    message += running.isEmpty ? "; none does" : " (running: \(list(running)))"
    fail(message + "; name the place of others with --admin", ExitStatus.unavailable)
  }
}
