extension MessageCatalog {
  /// Istio's codes that can apply to a gateway.
  static let istio: [Message] = [
    Message(
      "IST0002", .warning, "Deprecated", cause: "A field still works, and Istio has a newer one for the same thing.",
      fix: "Use the field that the message names."),
    Message(
      "IST0101", .error, "ReferencedResourceNotFound",
      cause:
        "A resource names another one that is not in the configuration: a Gateway, a host or port of a Service or ServiceEntry, a subset, a secret, a VirtualService to delegate to, or labels that no instance has. For a secret the namespace that counts is the instance's, not the Gateway's.",
      fix: "Correct the name, or add what is missing; the help line says what is nearest, or where it was found."),
    Message(
      "IST0106", .error, "SchemaValidationError",
      cause:
        "A resource is not valid: bad YAML, an unknown or mistyped field, a value out of range, or fields that exclude each other. The resource is left out (on reload its last good version stays) and all others work.",
      fix: "Correct the place that is underlined."),
    Message(
      "IST0107", .warning, "MisplacedAnnotation",
      cause: "An annotation of Istio's stands on a kind of resource that it does nothing for.",
      fix: "Move it to the kind that the message names, or remove it."),
    Message(
      "IST0108", .warning, "UnknownAnnotation", cause: "An annotation has Istio's domain and is none of Istio's.",
      fix: "Correct its name, or remove it."),
    Message(
      "IST0109", .error, "ConflictingMeshGatewayVirtualServiceHosts",
      cause: "Several VirtualServices that are bound to the mesh have the same host: sidecars use one of them alone.",
      fix: "Make them one VirtualService, bind them to gateways, or limit them with exportTo."),
    Message(
      "IST0112", .error, "VirtualServiceDestinationPortSelectorRequired",
      cause: "A destination has no port, and its host has several.", fix: "Add port.number to the destination."),
    Message(
      "IST0118", .info, "PortNameIsNotUnderNamingConvention",
      cause: "The protocol of a Service's port cannot be told from its name, and appProtocol is not set.",
      fix: "Name the port PROTOCOL or PROTOCOL-suffix (http, http2, grpc, https, tls, tcp, …), or set appProtocol."),
    Message(
      "IST0125", .warning, "InvalidAnnotation",
      cause:
        "The value of an annotation of Istio's is not one that it can have.",
      fix: "Correct the value; the message says what is expected."),
    Message(
      "IST0127", .warning, "NoMatchingWorkloadsFound",
      cause:
        "An AuthorizationPolicy selects instances by labels that none has, in its namespace or, from the root namespace, anywhere.",
      fix: "Correct the labels."),
    Message(
      "IST0128", .warning, "NoServerCertificateVerificationDestinationLevel",
      cause:
        "A DestinationRule turns the verification of the server's certificate off. (Istio says this of every rule without caCertificates; here verification is on and the system's roots are the default.)",
      fix: "Remove insecureSkipVerify; name the CA with caCertificates or credentialName if it is a private one."),
    Message(
      "IST0129", .warning, "NoServerCertificateVerificationPortLevel",
      cause: "The same as IST0128, in an entry of portLevelSettings.", fix: "The same as for IST0128."),
    Message(
      "IST0130", .warning, "VirtualServiceUnreachableRule",
      cause:
        "A rule is never used: the first rule that matches wins, and earlier rules of the VirtualService match every request that this one could.",
      fix: "Move the more specific rule up, narrow the earlier one, or remove the rule."),
    Message(
      "IST0131", .info, "VirtualServiceIneffectiveMatch",
      cause: "One entry of a rule's match is never decisive: an earlier one matches all its requests.",
      fix: "Move it up, or remove it."),
    Message(
      "IST0132", .warning, "VirtualServiceHostNotFoundInGateway",
      cause: "A VirtualService is bound to a Gateway, and none of its hosts is a host of a server there.",
      fix:
        "Correct the hosts of either; in a Gateway NAMESPACE/HOST admits the VirtualServices of that namespace alone."),
    Message(
      "IST0133", .warning, "SchemaWarning", cause: "A resource is valid, and something in it is unlikely to be meant.",
      fix: "See the place that is underlined."),
    Message(
      "IST0135", .info, "DeprecatedAnnotation",
      cause:
        "Istio has given an annotation up; newer versions may ignore it.",
      fix: "Use what the message names, or remove it."),
    Message(
      "IST0136", .info, "AlphaAnnotation",
      cause:
        "An annotation belongs to a feature that Istio still tries out.",
      fix: "Nothing has to be done; it may change with Istio's next version."),
    Message(
      "IST0138", .warning, "GatewayDuplicateCertificate",
      cause:
        "Several Gateways of one instance serve the same certificate. A browser uses one HTTP/2 connection for all the names of a certificate, so requests for the hosts of one Gateway arrive on a connection of the other.",
      fix: "Put the hosts into one Gateway server, or give each its own certificate."),
    Message(
      "IST0140", .warning, "IngressRouteRulesNotAffected",
      cause:
        "A VirtualService of a gateway sends to a service whose subsets are chosen by a VirtualService of the mesh. A gateway does not apply the rules of the mesh: requests go to all endpoints.",
      fix: "Repeat the subsets in the gateway's VirtualService, or bind the other one to the gateway too."),
    Message(
      "IST0145", .error, "ConflictingGateways",
      cause:
        "Gateways of one selector have servers of one port whose hosts overlap. Of TLS servers with one host the older one serves; the rules of plaintext servers are joined; of a name and a wildcard the name is served first.",
      fix: "Give them different hosts or ports, or make them one Gateway."),
    Message(
      "IST0149", .error, "JwtClaimBasedRoutingWithoutRequestAuthN",
      cause:
        "A rule compares @request.auth.claims, and nothing authenticates requests on this instance: the rule never matches.",
      fix: "Remove the condition, or put it where a RequestAuthentication is acted on."),
    Message(
      "IST0150", .warning, "ExternalNameServiceTypeInvalidPortName",
      cause: "A port of a Service of type ExternalName has no name that tells its protocol.",
      fix: "Name the port tcp, http, tls or the like."),
    Message(
      "IST0157", .warning, "InvalidTelemetryProvider",
      cause:
        "An accessLogging entry of a Telemetry names no provider: it logs nowhere.",
      fix: "Name a provider, such as envoy."),
    Message(
      "IST0159", .error, "ConflictingTelemetryWorkloadSelectors",
      cause:
        "Several Telemetries of a namespace select the same instance: which of them counts is undefined.",
      fix: "Make them one, or let them select different instances."),
    Message(
      "IST0160", .error, "MultipleTelemetriesWithoutWorkloadSelectors",
      cause:
        "A namespace has several Telemetries without a selector: which of them counts is undefined.",
      fix: "Make them one."),
    Message(
      "IST0161", .error, "InvalidGatewayCredential",
      cause:
        "A secret or file was found and cannot be used: keys are missing or empty, the PEM cannot be read, the key is encrypted or does not belong to the certificate. Connections to the server are refused; everything else works. Or the certificate has expired: it is served all the same, as in Istio, and clients will refuse it.",
      fix: "Renew or repair it; a changed secret is live without a restart."),
    Message(
      "IST0162", .warning, "GatewayPortNotDefinedOnService",
      cause:
        "A Gateway listens on a port that no Service that selects the instance has: clients of the Service cannot reach it.",
      fix: "Add the port to the Service."),
    Message(
      "IST0165", .warning, "ReferencedInternalGateway",
      cause: "A VirtualService names a Gateway that the Gateway API's controller generates for itself.",
      fix: "Use an HTTPRoute, or a Gateway of your own."),
    Message(
      "IST0166", .warning, "IneffectiveSelector",
      cause:
        "A policy selects an instance that a controller of the Gateway API has made; such instances are addressed by targetRefs alone.",
      fix: "Use targetRefs."),
    Message(
      "IST0167", .warning, "IneffectivePolicy",
      cause:
        "A policy is attached by targetRefs to resources of the Gateway API, or to services: an instance of Istio's Gateways is none of them.",
      fix: "Use a selector with the instance's labels."),
    Message(
      "IST0171", .warning, "NegativeConditionStatus",
      cause:
        "The status that a cluster has written into a resource says that something about it is wrong.",
      fix: "Read the condition's reason and message; in files, remove the status."),
    Message(
      "IST0173", .error, "DestinationRuleSubsetNotSelectPods",
      cause: "The labels of a subset are those of no endpoint of its host: requests get 503 with UH.",
      fix: "Correct the labels, or remove them when all endpoints are meant."),
    Message(
      "IST0174", .warning, "UnknownDestinationRuleHost",
      cause: "A DestinationRule is for a host that neither a Service nor a ServiceEntry declares.",
      fix: "Correct the host; a name without a dot is completed with the rule's namespace."),
    Message(
      "IST0177", .warning, "ConflictingServiceEntryProtocol",
      cause: "ServiceEntries give one host and port different protocols; the oldest one counts.",
      fix: "Give them the same protocol."),
  ]
}
