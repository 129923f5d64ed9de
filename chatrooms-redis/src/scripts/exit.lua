-- ARGV: node, epoch, connection, whether it was lost, grace. A node that is fenced has nobody here to take out.
if is_over() then return GONE end
local known = redis.call('HGET', C, ARGV[3])
if not known then return GONE end
take_out(ARGV[3], connection(known))
return settle(ARGV[4] == '1', tonumber(ARGV[5]))
