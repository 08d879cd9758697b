-- The controller asks OCSP responders with it (enable-ocsp), off by default. Not available here.
local Client = {}
Client.__index = Client

function Client.new()
  return setmetatable({}, Client)
end

function Client.set_timeout() end

function Client.parse_uri()
  return nil, "an HTTP client for Lua is not available in this build"
end

function Client.request_uri()
  return nil, "an HTTP client for Lua is not available in this build"
end

return Client
