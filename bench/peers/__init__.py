"""The proxies that race, each with one worker on one core unless a case says otherwise, and what they have behind them.

The configurations are as equal as the products allow: access log off, upstream connections kept alive, forwarding
headers added, TLS 1.3 with an ECDSA P-256 certificate, upstream certificates verified, no limits in the way.
"""

from .envoy import Envoy
from .haproxy import HAProxy
from .nghttpx import Nghttpx
from .nginx import Nginx
from .proxy import Proxy
from .sallyport import Sallyport
from .site import FRONT_NAME, HTTP_DOORS, TCP_DOORS, UPSTREAM_NAME, Layout, Site, host_name, rule_prefix
from .upstream import MESSAGE, Upstream

ALL = {proxy.name: proxy for proxy in (Sallyport, Nginx, HAProxy, Envoy, Nghttpx)}

__all__ = ["ALL", "Envoy", "FRONT_NAME", "HAProxy", "HTTP_DOORS", "Layout", "MESSAGE", "Nghttpx", "Nginx", "Proxy",
           "Sallyport", "Site", "TCP_DOORS", "UPSTREAM_NAME", "Upstream", "host_name", "rule_prefix"]
