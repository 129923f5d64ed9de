-- ARGV: node, epoch, then for each draft the key of its nonce or nothing, and the draft.
if is_fenced() then return {'fenced'} end
if is_over() then return {'over'} end
local at = tostring(now())
local results = {}
for place = 3, #ARGV, 2 do
    local nonce, draft = ARGV[place], ARGV[place + 1]
    local known = nonce ~= '' and redis.call('HGET', N, nonce)
    if known then
        table.insert(results, {tonumber(known), (unfield(redis.call('HGET', M, known), 1)), 1})
    else
        local seq = redis.call('HINCRBY', S, 'seq', 1)
        redis.call('HSET', M, seq, field(at) .. '-' .. draft)
        if nonce ~= '' then redis.call('HSET', N, nonce, seq) end
        table.insert(results, {seq, at, 0})
    end
end
ring()
return {'ok', get('oldest'), results}
