-- ARGV: node, nothing, connection, whether it was lost, grace. A connection is in one life alone, and a node that is fenced has nobody to take out.
local known = redis.call('HGET', C, ARGV[3])
if not known then return GONE end
take_out(ARGV[3], connection(known))
return settle(ARGV[4] == '1', tonumber(ARGV[5]))
