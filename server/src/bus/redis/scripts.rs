//! What must happen on the server in one piece.
//!
//! Ids are doubles in Lua and exact up to 2^53: the microseconds of 280 years.
//! Does not know who asks.

use std::sync::LazyLock;

use ::redis::Script;

/// The highest id that a stream has reached, 0 without a stream. A trimmed
/// stream still knows it. A group that nobody reads with is set to it and asked:
/// what the stream says of itself has whole entries in it.
const LAST: &str = r"
local function last(stream)
  local set = redis.pcall('XGROUP', 'SETID', stream, 'reached', '$')
  if set.err and redis.pcall('XGROUP', 'CREATE', stream, 'reached', '$').err then return 0 end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local found = {}
    for field = 1, #group, 2 do found[group[field]] = group[field + 1] end
    if found['name'] == 'reached' then
      return tonumber(string.match(found['last-delivered-id'], '^%d+'))
    end
  end
  return 0
end
local function text(id) return string.format('%.0f', id) end
";

fn script(body: &str) -> Script {
    Script::new(&format!("{LAST}{body}"))
}

/// The highest id that `KEYS[1]` has reached.
pub(super) static LAST_ID: LazyLock<Script> = LazyLock::new(|| script("return text(last(KEYS[1]))"));

/// Before an append that is to follow `ARGV[1]` and begins with `ARGV[2]`: nil if
/// it may, else what `KEYS[1]` has reached, which is put aside as `KEYS[2]`. In a
/// transaction with the append and [`SHOW`] this decides whether there is one; no
/// script takes the messages in its hands, which costs more than the append.
pub(super) static HIDE_UNLESS: LazyLock<String> = LazyLock::new(|| {
    format!(
        r"{LAST}
redis.call('DEL', KEYS[2])
local reached = last(KEYS[1])
if reached == tonumber(ARGV[1]) and tonumber(ARGV[2]) > reached then return false end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
return text(reached)
"
    )
});

/// Puts `KEYS[1]` back where it was before [`HIDE_UNLESS`].
pub(super) const SHOW: &str =
    "if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end";

/// Appends each of `ARGV[2..]` with an id that is the time in microseconds, or
/// one more than the last where that is later: the newest id. Nil, and nothing
/// appended, where the stream holds `ARGV[1]` messages.
pub(super) static APPEND_AUTO: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
local clock = redis.call('TIME')
local id = clock[1] * 1000000 + clock[2]
for message = 2, #ARGV do
  local added = redis.pcall('XADD', KEYS[1], text(id) .. '-0', 'm', ARGV[message])
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'equal or smaller') then return added end
    id = last(KEYS[1]) + 1
    redis.call('XADD', KEYS[1], text(id) .. '-0', 'm', ARGV[message])
  end
  id = id + 1
end
return text(id - 1)
",
    )
});

/// Lets `KEYS[1]` go on above `ARGV[1]`.
pub(super) static RESUME: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if last(KEYS[1]) >= tonumber(ARGV[1]) then return end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XADD', KEYS[1], ARGV[1] .. '-0', 'm', '')
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
else
  redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
end
",
    )
});

/// Forgets messages of `KEYS[1]` up to `ARGV[1]`; `KEYS[2]` keeps the last one.
pub(super) static TRIM: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local gone = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', 1)
if #gone == 0 then return end
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1] .. '-1')
redis.call('SET', KEYS[2], string.match(gone[1][1], '^%d+'))
",
    )
});

/// Keeps `KEYS[1]` within `ARGV[1]` entries and, as far as Redis can tell,
/// `ARGV[2]` bytes; `KEYS[2]` keeps the last message before its first, which an
/// entry of several names where its places begin.
pub(super) static BOUND: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local count = redis.call('XLEN', KEYS[1])
local keep = math.min(count, tonumber(ARGV[1]))
if count == 0 then return end
local used = redis.call('MEMORY', 'USAGE', KEYS[1])
if used > tonumber(ARGV[2]) then
  keep = math.max(1, math.min(keep, math.floor(count * tonumber(ARGV[2]) / used)))
end
if keep == count then return end
redis.call('XTRIM', KEYS[1], 'MAXLEN', keep)
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local begins = first[1]
if first[2][1] == 'p' then begins = first[2][2] end
redis.call('SET', KEYS[2], text(tonumber(string.match(begins, '^%d+')) - 1))
",
    )
});

/// Writes `ARGV[2]` to `KEYS[1]` for `ARGV[3]` ms if `ARGV[1]` is there.
pub(super) static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
",
    )
});
