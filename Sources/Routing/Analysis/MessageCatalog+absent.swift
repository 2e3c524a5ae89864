extension MessageCatalog {
  /// Istio's codes that no configuration of an instance can give, and why: whoever looks for them finds the reason.
  package static let absent: [(codes: [String], why: String)] = [
    (["IST0001"], "an analyzer that fails ends the program and says so; there is no half result"),
    (["IST0102", "IST0103", "IST0123", "IST0146", "IST0147", "IST0148"], "nothing is injected into pods"),
    (
      ["IST0110", "IST0111"],
      "a Sidecar does not apply to gateways: SP1015 says so of each"
    ),
    (["IST0116", "IST0137"], "they compare the Services of workloads beside sidecars"),
    (["IST0126"], "meshNetworks is not read: there are no gateways to other networks"),
    (
      ["IST0134"],
      "a gateway does not listen on the addresses of a ServiceEntry; what it can mean here is SP1031"
    ),
    (["IST0139", "IST0141", "IST0142", "IST0158"], "they speak of the installation of a control plane"),
    (["IST0143", "IST0144"], "they speak of the pods of applications"),
    (
      ["IST0151", "IST0152", "IST0153", "IST0154", "IST0155"],
      "an EnvoyFilter patches Envoy, which is not here: SP1001 says that it is not acted on"
    ),
    (["IST0156", "IST0172", "IST0176"], "they compare the versions of CRDs in a cluster"),
    (["IST0163", "IST0164"], "there is no external control plane"),
    (["IST0168", "IST0169", "IST0170"], "they speak of upgrades of Istio and of several clusters"),
    (["IST0175"], "it is about a setting of istiod's Deployment; no control plane fetches keys"),
  ]

  /// The table of `docs/diagnostics.md`.
  static var absentTable: String {
    "| code | why |\n|---|---|\n"
      + absent.map { "| \($0.codes.joined(separator: ", ")) | \($0.why) |" }.joined(separator: "\n")
  }
}
