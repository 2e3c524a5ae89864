"""What the end-to-end tests and the benchmark stand on: processes, ports, certificates, upstreams, clients.

Everything here runs on the loopback addresses only, and every process is ended by whoever started it.
"""
