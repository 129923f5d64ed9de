-- ARGV: node, epoch, reason.
if is_over() then return {'over'} end
local connections = get('conns')
ring(ARGV[2] .. ARGV[3])
purge()
return {'ok', connections}
