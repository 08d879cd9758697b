-- Smooth weighted round robin. nodes: { id = weight }.
local Balancer = {}
Balancer.__index = Balancer

function Balancer.new(_, nodes)
  local self = setmetatable({}, Balancer)
  self:reinit(nodes)
  return self
end

function Balancer:reinit(nodes)
  self.nodes, self.ids, self.current, self.total = {}, {}, {}, 0
  for id, weight in pairs(nodes) do
    self.nodes[id] = weight
    self.current[id] = 0
    self.total = self.total + weight
    self.ids[#self.ids + 1] = id
  end
  table.sort(self.ids)
  -- Each worker starts somewhere else, or all would send their first request to one endpoint.
  for _ = 1, math.random(0, #self.ids) do
    self:find()
  end
end

function Balancer:find()
  local best
  for _, id in ipairs(self.ids) do
    self.current[id] = self.current[id] + self.nodes[id]
    if not best or self.current[id] > self.current[best] then
      best = id
    end
  end
  if best then
    self.current[best] = self.current[best] - self.total
  end
  return best
end

return Balancer
