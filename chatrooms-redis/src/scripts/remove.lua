-- ARGV: node, epoch, user, code, reason as a field.
if is_fenced() then return {'fenced'} end
if is_over() then return {'over'} end
local removed = 0
local all = redis.call('HGETALL', C)
for place = 1, #all, 2 do
    local c = connection(all[place + 1])
    if c.user == ARGV[3] and not c.removed then
        c.removed = ARGV[4]
        keep(all[place], c)
        depart(c.user)
        write_edge('removed', field(all[place]), field(ARGV[4]), ARGV[5])
        removed = removed + 1
    end
end
if removed > 0 then ring() end
return {'ok', removed}
