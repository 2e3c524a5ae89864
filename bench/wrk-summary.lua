-- Prints wrk's counts as one line of JSON, marked so that it is told from wrk's own report.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'SUMMARY {"requests": %d, "failed": %d, "seconds": %.4f, "p50": %d, "p99": %d}\n',
    summary.requests - errors.status, failed, summary.duration / 1e6, latency:percentile(50), latency:percentile(99)))
end
