-- wrk's counts as one line of JSON, marked so that it is told from wrk's own report. With arguments PATHS HOSTS the
-- requests go to each of so many path rules, or hosts, in a scattered order; see peers/site.py for their names.
function init(args)
  local paths, hosts = tonumber(args[1]) or 0, tonumber(args[2]) or 0
  local count = math.max(paths, hosts)
  if count == 0 then return end
  local requests = {}
  for number = 0, count - 1 do
    local path = paths > 0 and string.format("/service-%05d/item", number) or "/"
    local headers = hosts > 0 and { Host = string.format("tenant-%05d.bench.example", number) } or nil
    requests[number] = wrk.format(nil, path, headers)
  end
  local at = 0
  function request()
    at = (at + 7919) % count
    return requests[at]
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'SUMMARY {"requests": %d, "failed": %d, "seconds": %.4f, "p50": %d, "p99": %d}\n',
    summary.requests - errors.status, failed, summary.duration / 1e6, latency:percentile(50), latency:percentile(99)))
end
