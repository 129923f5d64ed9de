-- KEYS: the orders. ARGV: the node, the order, for how long it is kept, in milliseconds.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
redis.call('XADD', KEYS[1], '*', 'by', ARGV[1], 'order', ARGV[2])
redis.call('XTRIM', KEYS[1], 'MINID', '~', oldest)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.pcall('PUBLISH', KEYS[1], '')
return 1
