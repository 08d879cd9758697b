-- Consistent hashing: each node has points on a ring, a key belongs to the next point on it.
-- nodes: { id = weight }.
local POINTS_PER_WEIGHT = 160

local Ring = {}
Ring.__index = Ring

local function hash(text)
  return tonumber(ngx.md5(text):sub(1, 8), 16)
end

function Ring.new(_, nodes)
  local self = setmetatable({}, Ring)
  self:reinit(nodes)
  return self
end

function Ring:reinit(nodes)
  self.nodes, self.points = {}, {}
  for id, weight in pairs(nodes) do
    self.nodes[id] = weight
    for i = 1, POINTS_PER_WEIGHT * weight do
      self.points[#self.points + 1] = { at = hash(id .. "#" .. i), id = id }
    end
  end
  table.sort(self.points, function(a, b)
    if a.at ~= b.at then
      return a.at < b.at
    end
    return a.id < b.id
  end)
end

function Ring:find(key)
  local points, at = self.points, hash(tostring(key))
  if #points == 0 then
    return nil
  end
  local low, high = 1, #points + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if points[middle].at < at then
      low = middle + 1
    else
      high = middle
    end
  end
  local index = low <= #points and low or 1
  return points[index].id, index
end

function Ring:next(index)
  index = index % #self.points + 1
  return self.points[index].id, index
end

return Ring
