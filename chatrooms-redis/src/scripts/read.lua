-- ARGV: node, epoch, 'before' or 'after', that place or nothing, most messages, most bytes.
if is_over() then return {'over'} end
local head, oldest = get('seq'), get('oldest')
local most, bytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local from, to, step
if ARGV[3] == 'before' then
    from, to, step = math.min(head, (tonumber(ARGV[4]) or head + 1) - 1), oldest, -1
else
    from, to, step = math.max(oldest, tonumber(ARGV[4]) + 1), head, 1
end
local messages, size = {}, 0
for at = from, to, step do
    local message = redis.call('HGET', M, at)
    size = size + #message
    if #messages >= most or (#messages > 0 and size > bytes) then break end
    table.insert(messages, message)
end
local first, count = from, to - from + 1
if step == -1 then
    messages, first, count = reversed(messages), from - #messages + 1, from - to + 1
end
return {'ok', first, messages, #messages < count and 1 or 0}
