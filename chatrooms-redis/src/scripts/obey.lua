-- KEYS: who has to do it. ARGV: the node, to how many sessions it was done.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
