import CLinux
import Transport

/// Signals as events of the control loop.
final class SignalHandler: EventHandler {
  /// What a signal asks for.
  enum Request {
    case drain, reload, reopenLogs
    /// A signal that means something to other servers, and nothing here.
    case ignore(name: String)
  }

  private let descriptor: Int32
  private let handle: (Request) -> Void
  private let isInterrupt: (Bool) -> Void

  /// Blocks the signals for this thread and those it starts later: make it first.
  static func open() -> Int32 { shim_open_signals() }

  init(descriptor: Int32, loop: EventLoop, handle: @escaping (Request) -> Void, isInterrupt: @escaping (Bool) -> Void)
    throws
  {
    self.descriptor = descriptor
    self.handle = handle
    self.isInterrupt = isInterrupt
    super.init()
    loop.adopt(self)
    try loop.register(descriptor, self, for: .readable)
  }

  override func ready(_ events: ReadyEvents) {
    while true {
      switch shim_read_signal(descriptor) {
      case 0: return
      case SIGTERM:
        isInterrupt(false)
        handle(.drain)
      case SIGINT:
        isInterrupt(true)
        handle(.drain)
      case SIGHUP: handle(.reload)
      case SIGUSR1: handle(.reopenLogs)
      case SIGUSR2: handle(.ignore(name: "USR2"))
      case SIGALRM: handle(.ignore(name: "ALRM"))
      default: break
      }
    }
  }
}
