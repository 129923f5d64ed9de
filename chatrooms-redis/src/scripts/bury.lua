-- KEYS: the nodes, the dead. ARGV: the node, its last beat or nothing, where it goes by itself.
local beat = redis.call('HGET', KEYS[1], ARGV[1])
if not beat or (ARGV[2] ~= '' and beat ~= ARGV[2]) then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[1])
return 1
