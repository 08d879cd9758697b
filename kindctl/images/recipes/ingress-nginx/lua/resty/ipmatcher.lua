-- The exceptions of the global rate limit, which is not available here (resty.global_throttle).
local Matcher = {}

function Matcher.new()
  return nil, "the global rate limit is not available in this build"
end

return Matcher
