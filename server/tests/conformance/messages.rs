//! Messages as earlier versions wrote them: every later build must read these.

use engine::order::{Price, Side};
use engine::venue::{Command, VenueConfig};
use protocol::bus::MarketStep;
use protocol::bus::{CommandMessage, CommandReply, ReplyMessage};
use server::bus::decode::{Unreadable, decode, encode};

const COMMAND: &str = r#"{
  "v": 1,
  "venue": "VENUE",
  "correlation": "00000000-0000-0000-0000-00000000002a",
  "valid_until": "2027-01-15T08:00:00.000000Z",
  "command": {"place_order": {
    "account": "00000000-0000-0000-0000-000000000001",
    "ticket": {
      "instrument": "00000000-0000-0000-0000-000000000002",
      "side": "BUY", "price": {"limit": 10005}, "quantity": 100, "time_in_force": "GTC",
      "client_order_id": "c-1", "valid_until": null, "self_trade_prevention": "CANCEL_RESTING"
    }
  }}
}"#;

const REFUSAL: &str = r#"{
  "v": 1,
  "venue": "VENUE",
  "correlation": "00000000-0000-0000-0000-00000000002a",
  "reply": {"refused": {"insufficient_cash": {"required": "10006.00", "available": "5.00"}}}
}"#;

fn of_venue(text: &str) -> String {
    text.replace("VENUE", &VenueConfig::default().venue_id().to_string())
}

#[test]
fn a_command_of_version_1_is_read_and_written_the_same() {
    let venue = VenueConfig::default().venue_id();
    let text = of_venue(COMMAND);
    let message: CommandMessage = decode(venue, text.as_bytes()).unwrap();
    let Command::PlaceOrder { ticket, .. } = &message.command else { panic!("{message:?}") };
    assert_eq!((ticket.side, ticket.price), (Side::Buy, Price::Limit(engine::money::Ticks(10_005))));
    let written: serde_json::Value = serde_json::from_slice(&encode(&message)).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(&text).unwrap());
}

#[test]
fn a_reply_of_version_1_is_read_and_written_the_same() {
    let venue = VenueConfig::default().venue_id();
    let text = of_venue(REFUSAL);
    let message: ReplyMessage = decode(venue, text.as_bytes()).unwrap();
    assert!(matches!(message.reply, CommandReply::Refused(_)));
    let written: serde_json::Value = serde_json::from_slice(&encode(&message)).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(&text).unwrap());
}

#[test]
fn a_step_of_version_1_is_the_step_that_it_was() {
    let venue = VenueConfig::default().venue_id();
    let read = |bytes: &[u8]| decode::<MarketStep>(venue, bytes);
    // One with levels and one without.
    let [quotes, levels] = ["market_step_quotes", "market_step"].map(|name| {
        let [old, new] = ["v1", "v2"].map(|version| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/fixtures");
            std::fs::read(format!("{folder}/{name}.{version}.json")).unwrap()
        });
        let step = read(&new).unwrap();
        assert_eq!((step.v, read(&old)), (2, Ok(step)));
        (old, new)
    });
    assert!(read(&quotes.0).unwrap().payload.ticks.is_empty());
    let (old, new) = levels;
    // What calls itself the newer is not in the older's shape, and a later
    // version is nothing that is known.
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let misnamed = text(old).replacen("\"v\": 1", "\"v\": 2", 1);
    assert!(matches!(read(misnamed.as_bytes()), Err(Unreadable::Malformed(_))));
    let later = text(new).replacen("\"v\": 2", "\"v\": 9", 1);
    assert_eq!(read(later.as_bytes()), Err(Unreadable::Version(9)));
}

#[test]
fn another_version_or_venue_is_refused_and_an_added_field_is_not() {
    let venue = VenueConfig::default().venue_id();
    let read = |text: &str| decode::<CommandMessage>(venue, text.as_bytes());
    let text = of_venue(COMMAND);
    assert_eq!(read(&text.replace("\"v\": 1", "\"v\": 2")), Err(Unreadable::Version(2)));
    // A newer version may have none of this one's fields.
    assert_eq!(read(r#"{"v": 9}"#), Err(Unreadable::Version(9)));
    let other = engine::id::VenueId::from_name("other");
    assert_eq!(read(&COMMAND.replace("VENUE", &other.to_string())), Err(Unreadable::Venue(other)));
    assert!(matches!(
        read(&text.replace("\"correlation\"", "\"corelation\"")),
        Err(Unreadable::Malformed(_))
    ));
    assert!(matches!(read(&text.replace("100,", "\"100\",")), Err(Unreadable::Malformed(_))));
    assert_eq!(read(&text.replace("\"v\": 1,", "\"v\": 1, \"newer\": {},")), read(&text));
}
