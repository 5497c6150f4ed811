//! Error codes by operation, with their statuses and meanings.
//!
//! Does not know when an operation gives which error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Status, code and meaning of every error but `invalid_{field}`, which any
/// field of the wrong type gives.
const ERRORS: &[(u16, &str, &str)] = &[
    // Any request.
    (400, "invalid_request", "The target is no path, there is not one `Host`, or more than one `Origin`."),
    (401, "unauthenticated", "Nobody is signed in, or the session has ended."),
    (403, "foreign_origin", "The request comes from another site, or carries a cookie without an Origin."),
    (404, "not_found", "There is no such route."),
    (405, "method_not_allowed", "The route does not have this method."),
    (429, "rate_limited", "Too many requests, orders or attempts: come again after `Retry-After` seconds."),
    (503, "unavailable", "The server cannot answer right now; a command may have been carried out."),
    // Bodies and queries.
    (400, "invalid_json", "The body is not one JSON object of unique keys, 32 levels at most."),
    (400, "invalid_body", "The connection broke off within the body."),
    (400, "invalid_query", "The query string cannot be read, gives a field twice, or holds a NUL."),
    (408, "request_timeout", "The body did not arrive in time."),
    (413, "body_too_large", "The body has more than 64 KiB."),
    (415, "unsupported_media_type", "The body is not `application/json`."),
    (422, "unknown_field", "There is a field that the route does not have."),
    (422, "invalid_value", "The body is no such object, or a nested field has the wrong type."),
    // Ids in paths and bodies.
    (400, "invalid_id", "The id in the path is not a UUID."),
    (404, "unknown_instrument", "There is no such instrument."),
    (404, "unknown_order", "The caller has no such order, or it is not live."),
    (404, "unknown_quote", "There is no such quote, or it expired long ago."),
    (404, "no_account", "The venue has no such account."),
    (404, "unknown_session", "The caller has no such session."),
    (503, "unknown_account", "The caller's account is not open yet."),
    // Pages of rows.
    (422, "invalid_window", "`from` or `to` is no time, lies in the future, or they are reversed."),
    (422, "invalid_limit", "The limit is not 1 to 1000."),
    (422, "invalid_cursor", "The cursor does not continue this query."),
    (422, "invalid_status", "The status is not OPEN, PARTIAL, FILLED or CANCELLED."),
    (422, "invalid_interval", "The interval is not 1s, 5s, 15s, 1m, 5m, 15m, 1h or 1d."),
    (422, "instrument_required", "An instrument_id is required."),
    // Orders and quotes.
    (403, "not_trader", "The caller's role may not trade."),
    (409, "already_cancelled", "The order is cancelled."),
    (409, "already_filled", "The order was filled before."),
    (409, "below_filled", "More than the new quantity is filled already."),
    (409, "expired", "The instrument has expired."),
    (409, "halted", "Trading in the instrument is halted."),
    (409, "idempotency_mismatch", "The client_order_id names an accepted request with other contents."),
    (409, "insufficient_cash", "The free cash is less than needed: see `required` and `available`."),
    (409, "insufficient_position", "The free position is less than sold: see `required` and `available`."),
    (409, "no_order_book", "The instrument trades on dealers' quotes and has no order book."),
    (409, "quote_expired", "The quote has expired."),
    (409, "quote_size", "Less is left of the quote: see `required` and `available`."),
    (409, "quote_used", "Nothing is left of the quote."),
    (409, "too_late", "`valid_until` had passed."),
    (422, "invalid_client_order_id", "The client_order_id is not 1 to 64 printable characters."),
    (422, "invalid_price", "The limit price is not a positive number, or out of the range of prices."),
    (422, "invalid_quantity", "The quantity is not a positive number of units that an order may have."),
    (422, "invalid_self_trade_prevention", "The mode is not CANCEL_RESTING or REJECT."),
    (422, "invalid_side", "The side is not BUY or SELL."),
    (
        422,
        "invalid_time_in_force",
        "The time in force is not GTC, DAY, IOC or FOK, or would let a market order rest.",
    ),
    (422, "invalid_type", "The type is not MARKET or LIMIT."),
    (422, "invalid_valid_until", "`valid_until` is not an RFC 3339 time with at most microseconds."),
    (422, "lot_size", "The quantity is not a multiple of the lot size."),
    (422, "nothing_to_amend", "The order has this quantity and limit price already."),
    (422, "notional_limit", "Quantity times price is more than the venue accounts for."),
    (422, "price_collar", "The limit price is too far from the mark."),
    (422, "price_forbidden", "A market order takes no limit price."),
    (422, "price_required", "A limit order needs a limit price."),
    (422, "self_trade", "The order would trade with the caller's own, in mode REJECT."),
    (422, "tick_size", "The limit price is not a multiple of the tick size."),
    (422, "too_many_orders", "The account has the most open orders that it may have."),
    (503, "busy", "Too much waits before the request, or the clock has not got there yet."),
    (503, "trading_halted", "The venue's books did not add up: trading is halted."),
    // The venue's clock and owner.
    (403, "guest_account", "A guest cannot own the venue: give the account an address and a password first."),
    (403, "not_owner", "Only the venue's owner may do this."),
    (409, "clock_running", "The clock runs: pause it before stepping."),
    (422, "out_of_range", "The number of steps or the speed is out of range."),
    // Users and sessions.
    (401, "invalid_credentials", "The e-mail address or the password is wrong."),
    (403, "wrong_password", "The present password is wrong."),
    (403, "invalid_token", "The token is unknown, used or too old."),
    (409, "email_taken", "There is a user with this e-mail address."),
    (409, "no_password", "The caller is a guest, who has no password."),
    (409, "not_guest", "The caller has an address and a password already."),
    (422, "invalid_email", "That is not an e-mail address."),
    (422, "invalid_name", "A name has 1 to 40 letters, digits, spaces, or - _ . '"),
    (503, "too_many_guests", "The venue has the most guests that it takes."),
    (422, "password_too_long", "The password has more than 1,024 bytes."),
    (422, "password_too_short", "The password has fewer than 10 characters."),
    (422, "password_weak", "The password is easy to guess."),
    // Stream and logs.
    (400, "invalid_websocket_key", "The `Sec-WebSocket-Key` is not 16 bytes in Base64."),
    (422, "invalid_encoding", "The encoding is not json or postcard."),
    (422, "invalid_event", "The event is not a short identifier in snake_case."),
    (422, "invalid_level", "The level is not error, warn or info."),
    (426, "upgrade_required", "The request is not a WebSocket handshake."),
    (429, "too_many_sockets", "The user has the most sockets that they may open."),
];

/// Errors of every operation with a body.
const BODY: [&str; 7] = [
    "invalid_json",
    "invalid_body",
    "request_timeout",
    "body_too_large",
    "unsupported_media_type",
    "unknown_field",
    "invalid_value",
];

/// Errors of what reads the caller's account.
const ACCOUNT: &[&str] = &["unknown_account"];

/// Errors of every command to the sequencer.
const COMMAND: &[&str] = &["not_trader", "unknown_account", "busy", "trading_halted"];

/// Errors of every command that makes an order.
const NEW_ORDER: &[&str] = &["too_late", "idempotency_mismatch"];

/// Errors of tickets and previews of them.
const TICKET: &[&str] = &[
    "unknown_instrument",
    "invalid_quantity",
    "lot_size",
    "invalid_price",
    "tick_size",
    "price_collar",
    "notional_limit",
    "price_required",
    "price_forbidden",
    "invalid_side",
    "invalid_time_in_force",
    "invalid_type",
    "invalid_client_order_id",
    "invalid_valid_until",
    "invalid_self_trade_prevention",
    "self_trade",
    "too_many_orders",
    "halted",
    "expired",
    "insufficient_cash",
    "insufficient_position",
    "no_order_book",
];

/// Errors of amendments.
const AMEND: &[&str] = &[
    "invalid_id",
    "unknown_order",
    "already_filled",
    "already_cancelled",
    "below_filled",
    "nothing_to_amend",
    "invalid_quantity",
    "lot_size",
    "invalid_price",
    "tick_size",
    "price_collar",
    "notional_limit",
    "price_forbidden",
    "invalid_client_order_id",
    "invalid_valid_until",
    "invalid_self_trade_prevention",
    "self_trade",
    "halted",
    "expired",
    "insufficient_cash",
    "insufficient_position",
];

/// Errors of hits and lifts and of previews of them.
const TAKE: &[&str] = &[
    "invalid_id",
    "unknown_instrument",
    "unknown_quote",
    "quote_expired",
    "quote_used",
    "quote_size",
    "invalid_quantity",
    "lot_size",
    "notional_limit",
    "invalid_client_order_id",
    "invalid_valid_until",
    "halted",
    "expired",
    "insufficient_cash",
    "insufficient_position",
];

/// Errors of pages of rows.
const PAGE: &[&str] = &["unknown_instrument", "invalid_window", "invalid_limit", "invalid_cursor"];

/// Errors of new passwords.
const PASSWORD: &[&str] = &["password_too_short", "password_too_long", "password_weak"];

/// Errors of each operation beyond those that its shape gives.
const OPERATIONS: &[(&str, &[&[&str]])] = &[
    ("place_order", &[COMMAND, NEW_ORDER, TICKET]),
    ("preview_order", &[ACCOUNT, TICKET]),
    ("amend_order", &[COMMAND, NEW_ORDER, AMEND]),
    ("cancel_order", &[COMMAND, &["invalid_id", "unknown_order", "already_filled"]]),
    ("cancel_orders", &[COMMAND, &["unknown_instrument"]]),
    ("get_order", &[&["invalid_id", "unknown_order"]]),
    ("list_orders", &[PAGE, &["invalid_status"]]),
    ("list_quotes", &[&["unknown_instrument"]]),
    ("hit_quote", &[COMMAND, NEW_ORDER, TAKE]),
    ("lift_quote", &[COMMAND, NEW_ORDER, TAKE]),
    ("preview_quote", &[ACCOUNT, TAKE, &["invalid_side"]]),
    ("get_account", &[ACCOUNT]),
    ("get_portfolio", &[ACCOUNT]),
    ("list_valuations", &[&["invalid_window", "invalid_limit", "invalid_cursor"]]),
    ("list_ticks", &[PAGE, &["instrument_required"]]),
    ("list_candles", &[PAGE, &["instrument_required", "invalid_interval"]]),
    ("list_trades", &[PAGE]),
    ("set_clock", &[&["not_owner", "out_of_range", "clock_running", "busy"]]),
    ("list_connected_users", &[&["not_owner"]]),
    ("reset_account", &[&["not_owner", "invalid_id", "no_account", "busy", "trading_halted"]]),
    ("list_agents", &[&["not_owner"]]),
    ("claim_venue", &[&["guest_account", "invalid_token"]]),
    ("register", &[PASSWORD, &["invalid_email", "email_taken", "busy"]]),
    ("update_profile", &[&["invalid_name"]]),
    ("change_password", &[PASSWORD, &["wrong_password", "no_password", "busy"]]),
    ("sign_in", &[&["invalid_credentials", "busy"]]),
    ("reset_password", &[PASSWORD, &["invalid_token", "busy"]]),
    ("register_guest", &[&["invalid_name", "too_many_guests", "busy"]]),
    ("keep_guest", &[PASSWORD, &["invalid_email", "email_taken", "not_guest", "busy"]]),
    ("end_session", &[&["invalid_id", "unknown_session"]]),
    (
        "open_stream",
        &[&[
            "foreign_origin",
            "invalid_encoding",
            "invalid_websocket_key",
            "upgrade_required",
            "too_many_sockets",
        ]],
    ),
    ("write_log", &[&["invalid_level", "invalid_event"]]),
];

/// Statuses and codes of the errors of an operation whose body has `fields`.
pub(super) fn of(method: &str, operation: &Value, fields: &[String]) -> BTreeSet<(u16, String)> {
    let mut codes = vec!["invalid_request", "unknown_field", "rate_limited", "unavailable"];
    if method != "get" {
        codes.push("foreign_origin");
    }
    if operation["security"].is_null() {
        codes.push("unauthenticated");
    }
    if !operation["requestBody"].is_null() {
        codes.extend(BODY);
    }
    if super::has_query(operation) {
        codes.push("invalid_query");
    }
    let id = operation["operationId"].as_str().unwrap_or_default();
    let own = OPERATIONS.iter().find(|(name, _)| *name == id);
    codes.extend(own.into_iter().flat_map(|(_, groups)| groups.iter().copied().flatten()));
    let listed = codes.iter().filter_map(|code| ERRORS.iter().find(|(_, named, _)| named == code));
    // The one field whose code is not named after it.
    let wrong_type = fields.iter().map(|field| match field.as_str() {
        "limit_price" => "invalid_price".to_owned(),
        field => format!("invalid_{field}"),
    });
    listed
        .map(|(status, code, _)| (*status, (*code).to_owned()))
        .chain(wrong_type.map(|code| (422, code)))
        .collect()
}

/// The response of `status` with one of `codes`.
pub(super) fn response(status: u16, codes: &[String]) -> Value {
    let listed: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut response = json!({
        "description": format!("Error: {}.", listed.join(", ")),
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" } } },
    });
    if matches!(status, 429 | 503) {
        response["headers"] = json!({
            "Retry-After": {
                "description": "Seconds until a retry makes sense.",
                "required": true,
                "schema": { "type": "integer", "minimum": 0 },
            },
        });
    }
    response
}

/// The schema of all `codes`.
pub(super) fn schema(codes: &BTreeSet<(u16, String)>) -> Value {
    let mut meanings = BTreeMap::<&str, Vec<String>>::new();
    for (status, code) in codes {
        let listed = ERRORS.iter().find(|(of, named, _)| (of, *named) == (status, code.as_str()));
        let meaning = listed.map_or("The field has the wrong type.", |(_, _, meaning)| meaning);
        meanings.entry(code).or_default().push(format!("{status}: {meaning}"));
    }
    let codes = meanings
        .into_iter()
        .map(|(code, meanings)| json!({ "const": code, "description": meanings.join(" ") }));
    json!({
        "type": "string",
        "description": "Identifier of an error, with its HTTP status.",
        "oneOf": codes.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_listed_once_and_used() {
        let listed: Vec<&str> = ERRORS.iter().map(|(_, code, _)| *code).collect();
        let unique: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(listed.len(), unique.len());
        let of_routers = ["not_found", "method_not_allowed"];
        let of_shapes = [
            "invalid_request",
            "rate_limited",
            "unavailable",
            "foreign_origin",
            "unauthenticated",
            "invalid_query",
        ];
        let of_operations =
            OPERATIONS.iter().flat_map(|(_, groups)| groups.iter().copied().flatten().copied());
        let used: BTreeSet<&str> = of_operations.chain(BODY).chain(of_routers).chain(of_shapes).collect();
        assert_eq!(used, unique);
    }
}
