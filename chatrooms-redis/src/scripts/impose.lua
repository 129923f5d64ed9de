-- ARGV: node, epoch, the revision that is known, the note, then for each who is banned their name and until when.
if is_fenced() then return {'fenced'} end
if is_over() then return {'over'} end
if get('revision') == tonumber(ARGV[3]) then
    redis.call('HSET', S, 'note', ARGV[4], 'revision', ARGV[3] + 1)
    redis.call('DEL', B)
    for place = 5, #ARGV, 2 do redis.call('HSET', B, ARGV[place], ARGV[place + 1]) end
    ring()
end
return {'ok', {get('revision'), redis.call('HGET', S, 'note') or '', redis.call('HGETALL', B)}}
