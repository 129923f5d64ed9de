-- KEYS: who has to do it, the nodes, the dead. Returns to how many sessions it was done, -1 where somebody is still to do it, -2 where nobody knows of it.
local said = redis.call('HGETALL', KEYS[1])
if #said == 0 then return -2 end
local sessions = 0
for i = 1, #said, 2 do
  local node = said[i]
  if said[i + 1] ~= '' then
    sessions = sessions + said[i + 1]
  elseif redis.call('HEXISTS', KEYS[2], node) == 1 or redis.call('SISMEMBER', KEYS[3], node) == 1 then
    return -1
  end
end
return sessions
