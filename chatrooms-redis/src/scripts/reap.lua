-- ARGV: the dead node, which is fenced by this, nothing, how long it stays fenced, grace. Doing it twice does nothing the second time.
redis.call('SET', F, '1', 'PX', ARGV[3])
local epoch = redis.call('HGET', S, 'epoch')
if not epoch then return {'', GONE} end
local is_changed = false
local all = redis.call('HGETALL', C)
for place = 1, #all, 2 do
    local c = connection(all[place + 1])
    if c.node == ARGV[1] then
        take_out(all[place], c)
        is_changed = true
    end
end
if is_changed then return {epoch, settle(true, tonumber(ARGV[4]))} end
local till = redis.call('HGET', S, 'until')
if not till then return {epoch, GONE} end
-- Whoever would have ended it may be the one who died.
local left = tonumber(till) - now()
if left > 0 then return {epoch, left} end
purge()
return {epoch, ENDED}
