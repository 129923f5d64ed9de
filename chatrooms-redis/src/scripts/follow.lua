-- ARGV: node, nothing, most messages, most bytes. Nothing is changed by it.
local epoch = redis.call('HGET', S, 'epoch')
if not epoch then return {'over'} end
return {'ok', epoch, news('', 0, 0, 0, tonumber(ARGV[3]), tonumber(ARGV[4]))}
