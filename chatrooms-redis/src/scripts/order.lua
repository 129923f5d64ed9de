-- KEYS: the orders, who has to do this one, the nodes. ARGV: the node's mark, its name, what the order is called, the order, for how long it is kept, in milliseconds.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[5]
redis.call('XADD', KEYS[1], '*', 'by', ARGV[1], 'id', ARGV[3], 'order', ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', '~', oldest)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
-- What its own node has to say of it is nothing, and shows that it was given.
redis.call('HSET', KEYS[2], ARGV[2], 0)
for _, node in ipairs(redis.call('HKEYS', KEYS[3])) do
  if node ~= ARGV[2] then redis.call('HSET', KEYS[2], node, '') end
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.pcall('PUBLISH', KEYS[1], '')
return 1
