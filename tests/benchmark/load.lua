-- wrk's side of the REST case: every request is another message; at the end one line of JSON.
-- Arguments: path, Authorization, number of the first message.
local number = 0

function init(arguments)
  path, authorization, number = arguments[1], arguments[2], tonumber(arguments[3])
  headers = { ["Authorization"] = authorization, ["Content-Type"] = "application/json" }
end

function request()
  number = number + 1
  local body = string.format(
    '{"command":"send-sms","data":{"id":"bench-%d","receiver":"62812%08d",' ..
    '"message":"Your one-time password is %06d. Do not give it to anybody."}}',
    number, number, number % 1000000)
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'result {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
