-- ARGV: node, epoch, seq, edge, revision, most messages, most bytes.
if is_over() then return {'over'} end
local seq, edge = tonumber(ARGV[3]), tonumber(ARGV[4])
if is_lost(seq, edge) then return {'lost'} end
return {'ok', news(ARGV[2], seq, edge, tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]))}
