-- ARGV: node, epoch, by how much clocks may differ. Whoever came back and went again lingers anew.
if is_over() then return 0 end
local till = redis.call('HGET', S, 'until')
if not till or tonumber(till) > now() + tonumber(ARGV[3]) then return 0 end
purge()
return 1
