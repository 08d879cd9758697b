-- Cookies of the request, and Set-Cookie of the answer: what sticky sessions use.
local Cookie = {}
Cookie.__index = Cookie

function Cookie.new()
  return setmetatable({}, Cookie)
end

function Cookie.get(_, name)
  local value = ngx.var["cookie_" .. name]
  if value == nil or value == "" then
    return nil, "no cookie " .. name
  end
  return value
end

local ATTRIBUTES = {
  { "expires", "Expires" },
  { "max_age", "Max-Age" },
  { "domain", "Domain" },
  { "path", "Path" },
  { "samesite", "SameSite" },
}
local FLAGS = { { "secure", "Secure" }, { "httponly", "HttpOnly" } }

function Cookie.set(_, cookie)
  if not cookie.key or not cookie.value then
    return nil, "a cookie needs key and value"
  end
  local parts = { cookie.key .. "=" .. cookie.value }
  for _, attribute in ipairs(ATTRIBUTES) do
    local value = cookie[attribute[1]]
    if value then
      parts[#parts + 1] = attribute[2] .. "=" .. value
    end
  end
  for _, flag in ipairs(FLAGS) do
    if cookie[flag[1]] then
      parts[#parts + 1] = flag[2]
    end
  end
  local headers = ngx.header["Set-Cookie"] or {}
  if type(headers) == "string" then
    headers = { headers }
  end
  headers[#headers + 1] = table.concat(parts, "; ")
  ngx.header["Set-Cookie"] = headers
  return true
end

return Cookie
