-- KEYS: the nodes and their beats, those that are dead and not seen to. ARGV: the node. Nothing where it was declared dead.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return {} end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
return {redis.call('HGETALL', KEYS[1]), redis.call('SMEMBERS', KEYS[2])}
