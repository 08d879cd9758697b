-- The global rate limit counts in memcached. Not available here; limit-rps and its like are
-- nginx's own and work.
local Throttle = {}

function Throttle.new()
  return nil, "the global rate limit is not available in this build"
end

return Throttle
