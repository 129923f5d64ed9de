-- ARGV: node, epoch, connection, grace, seq, edge, revision, most messages, most bytes. Nobody exits before everything is told that was before.
if is_over() then return {'over'} end
local seq, edge = tonumber(ARGV[5]), tonumber(ARGV[6])
if is_lost(seq, edge) then return {'lost'} end
local before = news(ARGV[2], seq, edge, tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]))
if before[10] == 1 then return {'ok', before, false} end
local known = redis.call('HGET', C, ARGV[3])
if not known then return {'ok', before, GONE} end
take_out(ARGV[3], connection(known))
return {'ok', before, settle(false, tonumber(ARGV[4]))}
