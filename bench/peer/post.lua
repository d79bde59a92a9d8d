-- The small POST of bench/peer/load.c for wrk: 32 users in turn. Usage: wrk -s post.lua URL -- KEY [close]; with `close` each on a connection of its own
local requests, turn = {}, 0

function init(arguments)
    local body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"text":"'
    body = body .. string.rep("y", 250 - #body - 4) .. '"}}}'
    wrk.headers["Accept"] = "application/json, text/event-stream"
    wrk.headers["Accept-Encoding"] = "gzip, deflate"
    wrk.headers["User-Agent"] = "python-httpx2/2.16.2"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["MCP-Protocol-Version"] = "2026-07-28"
    wrk.headers["Mcp-Method"] = "tools/call"
    wrk.headers["Mcp-Name"] = "whoami"
    wrk.headers["x-api-key"] = arguments[1]
    if arguments[2] == "close" then
        wrk.headers["Connection"] = "close"
    end
    for user = 0, 31 do
        wrk.headers["x-user-email"] = string.format("user%05d@acme.com", user)
        requests[user] = wrk.format("POST", nil, nil, body)
    end
end

function request()
    turn = (turn + 1) % 32
    return requests[turn]
end

function done(summary, latency)
    io.write(string.format('RESULT {"requests": %d, "wall_ns": %d, "errors": %d, "p50_us": %d, "p99_us": %d, "max_us": %d}\n',
        summary.requests, summary.duration * 1000, summary.errors.status + summary.errors.read + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
