-- What all scripts of a room begin with. The keys of one room share a hash tag, so that they stand in one slot; ARGV[1] is the node that asks, ARGV[2] the epoch that it means.

local S, M, N, E, C, U, R, B, F = unpack(KEYS)
-- S: the life: epoch, seq, oldest, edge, conns, note, revision, linger, until
-- M: messages by seq. N: seq by user and nonce. E: edges by number. C: connections by their id. U: connections of each user. R: messages that were taken back. B: who is banned
-- F: there while the node that asks is fenced

-- So many edges are kept for nodes that have not read them yet; who is further behind reads all people anew.
local EDGES = 4096
-- So many edges are told at a time.
local PAGE = 1000

local function field(value)
    if not value then return '-' end
    return #value .. ':' .. value
end

-- The field that begins at a place, and where the next one does.
local function unfield(text, place)
    if string.byte(text, place) == 45 then return false, place + 1 end
    local colon = string.find(text, ':', place, true)
    local last = colon + tonumber(string.sub(text, place, colon - 1))
    return string.sub(text, colon + 1, last), last + 1
end

local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function get(name)
    return tonumber(redis.call('HGET', S, name) or 0)
end

local function is_fenced()
    return redis.call('EXISTS', F) == 1
end

local function is_over()
    return redis.call('HGET', S, 'epoch') ~= ARGV[2]
end

-- A life that lingers goes by itself in the end, should everybody be dead by then who would have ended it.
local function expire_by(at)
    for place = 1, 8 do redis.call('PEXPIREAT', KEYS[place], at) end
end

local function ring(farewell)
    local at = redis.call('HGET', S, 'expires')
    if at then expire_by(at) end
    local place = farewell or table.concat(redis.call('HMGET', S, 'epoch', 'seq', 'edge', 'revision'), ':')
    -- What may not be announced is found out all the same, a second later: no step is broken off for it.
    redis.pcall('PUBLISH', S, place)
end

local function write_edge(kind, ...)
    local number = redis.call('HINCRBY', S, 'edge', 1)
    local edge = field(redis.call('HGET', S, 'seq')) .. field(kind)
    for _, part in ipairs({...}) do edge = edge .. part end
    redis.call('HSET', E, number, edge)
    redis.call('HDEL', E, number - EDGES)
    return number
end

-- Somebody is not in anybody's list any more.
local function depart(user)
    if redis.call('HINCRBY', U, user, -1) <= 0 then redis.call('HDEL', U, user) end
    redis.call('HINCRBY', S, 'conns', -1)
end

-- A connection as it is kept.
local function connection(blob)
    local c, place = {}, 1
    c.since, place = unfield(blob, place)
    c.node, place = unfield(blob, place)
    c.how, place = unfield(blob, place)
    c.removed, place = unfield(blob, place)
    c.entry = string.sub(blob, place)
    c.user = unfield(blob, place)
    return c
end

local function keep(id, c)
    redis.call('HSET', C, id, field(c.since) .. field(c.node) .. field(c.how) .. field(c.removed) .. c.entry)
end

local function take_out(id, c)
    redis.call('HDEL', C, id)
    if not c.removed then
        depart(c.user)
        write_edge('exited', field(id))
    end
end

local function purge()
    redis.call('UNLINK', S, M, N, E, C, U, R, B)
end

local GONE, ENDED = 0, -1

-- What becomes of a life that may have lost its last connection: how long it lingers, in milliseconds, or one of these.
local function settle(is_lost, grace)
    if redis.call('HLEN', C) > 0 then
        ring()
        return GONE
    end
    local linger = is_lost and get('linger') or 0
    if linger > 0 then
        local till = now() + linger
        redis.call('HSET', S, 'until', till, 'expires', till + grace)
        ring()
        return linger
    end
    ring()
    purge()
    return ENDED
end

-- The other way round: what was read from the newest on.
local function reversed(list)
    local turned = {}
    for place = #list, 1, -1 do table.insert(turned, list[place]) end
    return turned
end

-- Whether nobody can go on from here: they know more than there is, or less than is kept.
local function is_lost(seq, edge)
    return seq > get('seq') or edge > get('edge') or seq + 1 < get('oldest')
end

-- What somebody who knows so much of this life does not know yet. Of another life nobody knows anything.
local function news(epoch, seq, edge, revision, most, bytes)
    local head, oldest, last = get('seq'), get('oldest'), get('edge')
    local is_known = redis.call('HGET', S, 'epoch') == epoch
    local messages, size, first = {}, 0, seq + 1
    local function take(at)
        local message = redis.call('HGET', M, at)
        size = size + #message
        if #messages >= most or (#messages > 0 and size > bytes) then return false end
        table.insert(messages, message)
        return true
    end
    if is_known then
        for at = first, head do
            if not take(at) then break end
        end
    else
        for at = head, oldest, -1 do
            if not take(at) then break end
        end
        messages, first = reversed(messages), head - #messages + 1
    end
    local more = is_known and seq + #messages < head
    local edges, people, redacted = false, false, false
    if is_known and edge >= last - EDGES then
        edges = {}
        local till = math.min(last, edge + PAGE)
        for number = edge + 1, till do table.insert(edges, redis.call('HGET', E, number)) end
        more = more or till < last
    else
        edge = last
        people = {}
        local all = redis.call('HGETALL', C)
        for place = 1, #all, 2 do
            local c = connection(all[place + 1])
            if not c.removed then table.insert(people, field(c.since) .. field(all[place]) .. c.entry) end
        end
        redacted = redis.call('HKEYS', R)
    end
    local note = false
    if get('revision') ~= revision then
        note = {get('revision'), redis.call('HGET', S, 'note') or '', redis.call('HGETALL', B)}
    end
    return {head, oldest, first, is_known and 1 or 0, messages, edge, edges, people, redacted, more and 1 or 0, note}
end
