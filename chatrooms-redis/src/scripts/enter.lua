-- ARGV: node, epoch of a life that would begin, connection, entry, most connections, linger, then what is known and the budget as of news.
if is_fenced() then return {'fenced'} end
local epoch, id, entry, limit, linger = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local seq, edge = tonumber(ARGV[8]), tonumber(ARGV[9])
local living = redis.call('HGET', S, 'epoch')
if ARGV[7] ~= '' and living ~= ARGV[7] then return {'over'} end
if living == ARGV[7] and is_lost(seq, edge) then return {'lost'} end
local c
local known = redis.call('HGET', C, id)
if known then
    c = connection(known)
else
    local user = unfield(entry, 1)
    local banned = redis.call('HGET', B, user)
    if banned and (banned == '-' or tonumber(banned) > now()) then return {'banned'} end
    if get('conns') >= limit then return {'full'} end
    if not living then
        redis.call('HSET', S, 'epoch', epoch, 'seq', 0, 'oldest', 1, 'edge', 0, 'conns', 0, 'revision', 0)
    elseif redis.call('HDEL', S, 'until', 'expires') > 0 then
        for place = 1, 8 do redis.call('PERSIST', KEYS[place]) end
    end
    redis.call('HSET', S, 'linger', linger)
    local is_first = redis.call('HINCRBY', S, 'conns', 1) == 1
    local is_new = redis.call('HINCRBY', U, user, 1) == 1
    c = {node = ARGV[1], entry = entry}
    c.how = (living and '0' or '1') .. (is_first and '1' or '0') .. (is_new and '1' or '0')
    c.since = tostring(write_edge('entered', field(id), entry))
    keep(id, c)
    ring()
end
return {'ok', redis.call('HGET', S, 'epoch'), c.how, c.since, news(ARGV[7], seq, edge, tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]))}
