-- A DNS client over UDP for address records: what Services of type ExternalName need.
-- Message format: RFC 1035, section 4. No TCP for truncated answers.
local band, bor, lshift, rshift = bit.band, bit.bor, bit.lshift, bit.rshift

local Resolver = { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, CLASS_IN = 1 }
Resolver.__index = Resolver

local ERRORS = { "format error", "server failure", "name error", "not implemented", "refused" }

local function u16(text, at)
  local high, low = text:byte(at, at + 1)
  if not low then
    error("answer ends early", 0)
  end
  return high * 256 + low
end

local function encode_u16(number)
  return string.char(band(rshift(number, 8), 0xff), band(number, 0xff))
end

local function encode_query(id, name, qtype)
  local labels = {}
  for label in name:gmatch("[^.]+") do
    if #label > 63 then
      return nil, "a label of " .. name .. " is longer than 63 octets"
    end
    labels[#labels + 1] = string.char(#label) .. label
  end
  -- One question, recursion desired.
  return encode_u16(id) .. "\1\0\0\1\0\0\0\0\0\0" .. table.concat(labels) .. "\0"
    .. encode_u16(qtype) .. encode_u16(Resolver.CLASS_IN)
end

-- The position after a name; a pointer (two high bits set) ends it.
local function skip_name(text, at)
  while true do
    local length = text:byte(at)
    if not length then
      error("answer ends early", 0)
    elseif length == 0 then
      return at + 1
    elseif length >= 0xc0 then
      return at + 2
    end
    at = at + 1 + length
  end
end

local function address(data)
  if #data == 4 then
    return string.format("%d.%d.%d.%d", data:byte(1, 4))
  end
  local groups = {}
  for i = 1, 15, 2 do
    groups[#groups + 1] = string.format("%x", u16(data, i))
  end
  return "[" .. table.concat(groups, ":") .. "]"
end

local function decode_answer(text, name)
  local flags, questions, count = u16(text, 3), u16(text, 5), u16(text, 7)
  local code = band(flags, 15)
  if code ~= 0 then
    return { errcode = code, errstr = ERRORS[code] or "unknown" }
  end
  local at, answers = 13, {}
  for _ = 1, questions do
    at = skip_name(text, at) + 4
  end
  for _ = 1, count do
    at = skip_name(text, at)
    local rtype, length = u16(text, at), u16(text, at + 8)
    local ttl = bor(lshift(band(u16(text, at + 4), 0x7fff), 16), u16(text, at + 6))
    local data = text:sub(at + 10, at + 9 + length)
    local answer = { name = name, type = rtype, class = u16(text, at + 2), ttl = ttl }
    if (rtype == Resolver.TYPE_A and #data == 4) or (rtype == Resolver.TYPE_AAAA and #data == 16) then
      answer.address = address(data)
    end
    answers[#answers + 1] = answer
    at = at + 10 + length
  end
  return answers
end

function Resolver.new(_, options)
  if not options.nameservers or #options.nameservers == 0 then
    return nil, "no nameservers"
  end
  return setmetatable({
    nameservers = options.nameservers,
    attempts = options.retrans or 5,
    timeout = options.timeout or 2000,
  }, Resolver)
end

function Resolver:ask(server, id, query)
  local host, port = server, 53
  if type(server) == "table" then
    host, port = server[1], server[2] or 53
  end
  local socket = ngx.socket.udp()
  socket:settimeout(self.timeout)
  local ok, err = socket:setpeername(host, port)
  if ok then
    ok, err = socket:send(query)
  end
  local text
  while ok do
    text, err = socket:receive(4096)
    if not text or (#text >= 12 and u16(text, 1) == id) then
      break -- an error, or the answer to this question
    end
  end
  socket:close()
  return text, err
end

function Resolver:query(name, options)
  local id = math.random(0, 0xffff)
  local query, err = encode_query(id, name, (options or {}).qtype or Resolver.TYPE_A)
  if not query then
    return nil, err
  end
  for attempt = 1, self.attempts do
    local server = self.nameservers[(attempt - 1) % #self.nameservers + 1]
    local text
    text, err = self:ask(server, id, query)
    if text then
      local ok, answers = pcall(decode_answer, text, name)
      if ok then
        return answers
      end
      err = answers
    end
  end
  return nil, err
end

return Resolver
