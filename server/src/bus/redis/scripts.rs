//! Scripts for atomic operations on the server.
//!
//! Ids are numbers in Lua only where they are below [`MAX_MESSAGE_ID`], and exact
//! there; any other id stays text. Does not know what the streams hold.

use std::sync::LazyLock;

use ::redis::Script;

use crate::bus::MAX_MESSAGE_ID;

/// Lua function: the highest id of a stream so far, trimmed messages included, as
/// text; 0 without a stream. Read through an unused consumer group that is set to `$`,
/// because `XINFO STREAM` would also return whole entries.
const LAST_ID_FUNCTION: &str = r"
local function last(stream)
  local set = redis.pcall('XGROUP', 'SETID', stream, 'reached', '$')
  if set.err and redis.pcall('XGROUP', 'CREATE', stream, 'reached', '$').err then return '0' end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local found = {}
    for field = 1, #group, 2 do found[group[field]] = group[field + 1] end
    if found['name'] == 'reached' then
      return string.match(found['last-delivered-id'], '^%d+')
    end
  end
  return '0'
end
local function text(id) return string.format('%.0f', id) end
";

fn script(body: &str) -> Script {
    Script::new(&format!("{LAST_ID_FUNCTION}{body}"))
}

/// The highest id of `KEYS[1]` so far.
pub(super) static LAST_ID: LazyLock<Script> = LazyLock::new(|| script("return last(KEYS[1])"));

/// First command of the transaction of a conditional append that expects the last
/// id `ARGV[1]` and starts with id `ARGV[2]`. Returns nil if the append may
/// happen; else it returns the last id of `KEYS[1]` and renames the stream to
/// `KEYS[2]`, so that `XADD NOMKSTREAM` does nothing, until [`SHOW`]. Messages
/// as script arguments would cost more than the append itself.
pub(super) static HIDE_UNLESS: LazyLock<String> = LazyLock::new(|| {
    format!(
        r"{LAST_ID_FUNCTION}
redis.call('DEL', KEYS[2])
local reached = last(KEYS[1])
if reached == ARGV[1] and tonumber(ARGV[2]) > tonumber(reached) then return false end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
return reached
"
    )
});

/// Renames the stream back after [`HIDE_UNLESS`].
pub(super) const SHOW: &str =
    "if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end";

/// Appends each of `ARGV[2..]` with the time in microseconds as id, or one more
/// than the last id if that is higher; returns the newest id. Appends nothing and
/// returns nil if the stream holds `ARGV[1]` entries, or 0 if the ids would be too
/// high.
pub(super) static APPEND_AUTO: LazyLock<Script> = LazyLock::new(|| {
    script(&format!(
        r"
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
if tonumber(last(KEYS[1])) > {MAX_MESSAGE_ID} - #ARGV then return '0' end
local clock = redis.call('TIME')
local id = clock[1] * 1000000 + clock[2]
for message = 2, #ARGV do
  local added = redis.pcall('XADD', KEYS[1], text(id) .. '-0', 'm', ARGV[message])
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'equal or smaller') then return added end
    id = tonumber(last(KEYS[1])) + 1
    redis.call('XADD', KEYS[1], text(id) .. '-0', 'm', ARGV[message])
  end
  id = id + 1
end
return text(id - 1)
"
    ))
});

/// Makes ids of `KEYS[1]` continue above `ARGV[1]`.
pub(super) static RESUME: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if tonumber(last(KEYS[1])) >= tonumber(ARGV[1]) then return end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XADD', KEYS[1], ARGV[1] .. '-0', 'm', '')
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
else
  redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
end
",
    )
});

/// Removes messages of `KEYS[1]` up to `ARGV[1]`; stores the last removed id in
/// `KEYS[2]`.
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

/// Removes entry `ARGV[1]` of `KEYS[1]`, by the id of any of its messages; returns 1 if
/// it was there and has the content `ARGV[3]`. Then, and always if `ARGV[1]` is empty, the last id becomes that of the
/// newest entry, or `ARGV[2]` if that is higher. Where the server refuses to go back
/// behind a deleted entry, the stream is written anew.
pub(super) static DISCARD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local id, floor = ARGV[1], ARGV[2]
if id ~= '' then
  local entry = redis.call('XREVRANGE', KEYS[1], id, id, 'COUNT', 1)[1]
  if not entry then
    entry = redis.call('XRANGE', KEYS[1], id, '+', 'COUNT', 1)[1]
    local packed = entry and entry[2][1] == 'p' and ' ' .. entry[2][2]
    if not packed or not string.find(packed, ' ' .. id .. ':', 1, true) then return 0 end
  end
  local content = 'entry ' .. entry[1] .. ': ' .. table.concat(entry[2], ' ')
  if not string.find(content, ARGV[3], 1, true) then return 0 end
  redis.call('XDEL', KEYS[1], entry[1])
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  local last = floor .. '-0'
  if newest and tonumber(string.match(newest[1], '^%d+')) >= tonumber(floor) then last = newest[1] end
  if redis.pcall('XSETID', KEYS[1], last).err then
    local entries = redis.call('XRANGE', KEYS[1], '-', '+')
    redis.call('DEL', KEYS[1])
    for _, entry in ipairs(entries) do redis.call('XADD', KEYS[1], entry[1], unpack(entry[2])) end
    if #entries == 0 and last ~= '0-0' then
      redis.call('XADD', KEYS[1], last, 'm', '')
      redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
    elseif #entries > 0 then
      redis.call('XSETID', KEYS[1], last)
    end
  end
  local trimmed = redis.call('GET', KEYS[2])
  if trimmed and tonumber(trimmed) > tonumber(string.match(last, '^%d+')) then
    redis.call('SET', KEYS[2], floor)
  end
end
return 1
",
    )
});

/// Trims `KEYS[1]` to `ARGV[1]` entries and about `ARGV[2]` bytes. Stores the id
/// before its first message in `KEYS[2]`; a packed entry lists its first id in `p`.
pub(super) static BOUND: LazyLock<Script> = LazyLock::new(|| {
    script(&format!(
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
begins = tonumber(string.match(begins, '^%d+'))
if begins and begins > 0 and begins <= {MAX_MESSAGE_ID} then redis.call('SET', KEYS[2], text(begins - 1)) end
"
    ))
});

/// Sets `KEYS[1]` to `ARGV[2]` for `ARGV[3]` ms if its value is `ARGV[1]`.
pub(super) static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
",
    )
});
