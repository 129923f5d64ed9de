-- ARGV: node, epoch, seq, author or nothing, by whom as a field.
if is_fenced() then return 'fenced' end
if is_over() then return 'over' end
local message = redis.call('HGET', M, ARGV[3])
if not message then return 'not_found' end
local at, flag, user, name, nonce, place
at, place = unfield(message, 1)
flag, place = unfield(message, place)
user, place = unfield(message, place)
name, place = unfield(message, place)
nonce, place = unfield(message, place)
if ARGV[4] ~= '' and user ~= ARGV[4] then return 'not_author' end
if flag then return 'already' end
redis.call('HSET', M, ARGV[3], field(at) .. field('1') .. field(user) .. field(name) .. field(nonce) .. field('') .. '-')
redis.call('HSET', R, ARGV[3], '')
write_edge('redacted', field(ARGV[3]), ARGV[5])
ring()
return 'done'
