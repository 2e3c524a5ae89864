/// The resources of the article on one egress gateway per upstream, as published: placeholders filled in, indentation
/// repaired.
let articleYAML = """
  apiVersion: install.istio.io/v1alpha1
  kind: IstioOperator
  metadata:
    name: istio-operator
    namespace: istio-operator
  spec:
    profile: default
    tag: 1.8.0
    meshConfig:
      accessLogFile: /dev/stdout
      outboundTrafficPolicy:
        mode: REGISTRY_ONLY
  ---
  apiVersion: install.istio.io/v1alpha1
  kind: IstioOperator
  spec:
    profile: empty
    tag: 1.8.0
    namespace: httpbin
    components:
      egressGateways:
      - name: httpbin-egress
        enabled: true
        label:
          app: istio-egressgateway
          istio: egressgateway
          custom-egress: httpbin-egress
        k8s:
          overlays:
          - kind: Deployment
            name: httpbin-egress
            patches:
            - path: spec.template.spec.containers[0].readinessProbe
              value:
                failureThreshold: 30
                exec:
                  command:
                  - /bin/sh
                  - -c
                  - curl http://localhost:15021/healthz/ready && curl https://httpbin.org/status/200
                initialDelaySeconds: 1
                periodSeconds: 2
                successThreshold: 1
                timeoutSeconds: 1
    values:
      gateways:
        istio-egressgateway:
          runAsRoot: true
  ---
  apiVersion: networking.istio.io/v1beta1
  kind: Gateway
  metadata:
    name: my-ingressgateway
    namespace: istio-system
  spec:
    selector:
      istio: ingressgateway
    servers:
    - hosts:
      - "httpbin.example.com"
      port:
        name: http
        number: 80
        protocol: HTTP
      tls:
        httpsRedirect: true
    - port:
        number: 443
        name: https
        protocol: https
      hosts:
      - "httpbin.example.com"
      tls:
        mode: SIMPLE
        credentialName: httpbin-credential
  ---
  apiVersion: networking.istio.io/v1alpha3
  kind: Gateway
  metadata:
    name: "httpbin-egress"
    namespace: "httpbin"
  spec:
    selector:
      istio: egressgateway
      service.istio.io/canonical-name: "httpbin-egress"
    servers:
    - hosts:
      - "httpbin.example.com"
      port:
        number: 80
        name: http
        protocol: HTTP
  ---
  apiVersion: networking.istio.io/v1alpha3
  kind: VirtualService
  metadata:
    name: "httpbin-egress"
    namespace: "httpbin"
  spec:
    hosts:
    - "httpbin.example.com"
    gateways:
    - mesh
    - "istio-system/my-ingressgateway"
    - "httpbin/httpbin-egress"
    http:
    - match:
      - gateways:
        - "istio-system/my-ingressgateway"
        - mesh
        uri:
          prefix: "/"
      route:
      - destination:
          host: "httpbin-egress.httpbin.svc.cluster.local"
          port:
            number: 80
    - match:
      - gateways:
        - "httpbin/httpbin-egress"
        uri:
          prefix: "/"
      route:
      - destination:
          host: "httpbin.org"
          subset: "http-egress-subset"
          port:
            number: 443
  ---
  apiVersion: networking.istio.io/v1alpha3
  kind: ServiceEntry
  metadata:
    name: "httpbin-egress"
    namespace: "httpbin"
  spec:
    hosts:
    - "httpbin.org"
    location: MESH_EXTERNAL
    ports:
    - number: 443
      name: https
      protocol: TLS
    resolution: DNS
  ---
  apiVersion: networking.istio.io/v1alpha3
  kind: DestinationRule
  metadata:
    name: "httpbin-egress"
    namespace: "httpbin"
  spec:
    host: "httpbin.org"
    subsets:
    - name: "http-egress-subset"
      trafficPolicy:
        loadBalancer:
          simple: ROUND_ROBIN
        portLevelSettings:
        - port:
            number: 443
          tls:
            mode: SIMPLE
  ---
  apiVersion: "security.istio.io/v1beta1"
  kind: "PeerAuthentication"
  metadata:
    name: "httpbin-egress"
    namespace: "httpbin"
  spec:
    mtls:
      mode: STRICT
  """
