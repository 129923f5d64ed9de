-- ARGV: node, epoch, up to which message, at most so many at a time. Says whether there are more.
if is_over() then return 'over' end
local oldest = get('oldest')
local till = math.min(tonumber(ARGV[3]), get('seq'))
local last = math.min(till, oldest + tonumber(ARGV[4]) - 1)
for seq = oldest, last do
    local message = redis.call('HGET', M, seq)
    local _, user, nonce, place
    _, place = unfield(message, 1)
    _, place = unfield(message, place)
    user, place = unfield(message, place)
    _, place = unfield(message, place)
    nonce, place = unfield(message, place)
    if user and nonce then redis.call('HDEL', N, field(user) .. field(nonce)) end
    redis.call('HDEL', M, seq)
    redis.call('HDEL', R, seq)
end
if last >= oldest then redis.call('HSET', S, 'oldest', last + 1) end
return last < till and 'more' or 'done'
