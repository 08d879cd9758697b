-- A lock between workers, kept in a shared dictionary. It vanishes after exptime seconds, so
-- that a worker that died holds up nobody.
local Lock = {}
Lock.__index = Lock

local FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.5

function Lock.new(_, name, options)
  local dictionary = ngx.shared[name]
  if not dictionary then
    return nil, "no shared dictionary " .. name
  end
  options = options or {}
  return setmetatable({
    dictionary = dictionary,
    timeout = options.timeout or 5,
    exptime = options.exptime or 30,
  }, Lock)
end

function Lock:lock(key)
  if self.key then
    return nil, "locked"
  end
  local waited, pause = 0, FIRST_PAUSE
  while true do
    local ok, err = self.dictionary:add(key, true, self.exptime)
    if ok then
      self.key = key
      return waited
    end
    if err ~= "exists" then
      return nil, err
    end
    if waited >= self.timeout then
      return nil, "timeout"
    end
    ngx.sleep(pause)
    waited = waited + pause
    pause = math.min(pause * 2, LONGEST_PAUSE)
  end
end

function Lock:unlock()
  if not self.key then
    return nil, "unlocked"
  end
  self.dictionary:delete(self.key)
  self.key = nil
  return 1
end

return Lock
