import ArgumentParser
import Operations

/// `sallyport completion`
struct CompletionCommand: ParsableCommand {
  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print the completion script of a shell.",
    discussion: """
      bash: source <(sallyport completion bash)
      zsh:  sallyport completion zsh > "${fpath[1]}/_sallyport"
      fish: sallyport completion fish > ~/.config/fish/completions/sallyport.fish
      """)

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() {
    let aliases = CompletionAliases(Sallyport.self)
    switch shell {
    case .bash: output(aliases.bash(Sallyport.completionScript(for: .bash)) + "\n")
    case .zsh: output(aliases.zsh(Sallyport.completionScript(for: .zsh)) + "\n")
    case .fish: output(aliases.fish(Sallyport.completionScript(for: .fish)) + "\n")
    }
  }
}
