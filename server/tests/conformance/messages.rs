//! Bus messages in the text of their version, and messages of other versions.

use engine::id::VenueId;
use engine::order::{Price, Side};
use engine::venue::{Command, VenueConfig};
use protocol::bus::{CommandMessage, CommandReply, ReplyMessage};
use serde::{Deserialize, Serialize};
use server::bus::decode::{Envelope, Unreadable, decode, encode};

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

/// A message whose version 1 had another field.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Renamed {
    v: u8,
    venue: VenueId,
    quantity: u32,
}

impl Envelope for Renamed {
    const VERSION: u8 = 2;

    fn version_and_venue(&self) -> (u8, VenueId) {
        (self.v, self.venue)
    }

    fn decode_previous_version(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct RenamedV1 {
            v: u8,
            venue: VenueId,
            qty: u32,
        }
        let old: RenamedV1 = serde_json::from_slice(bytes).ok()?;
        (old.v == 1).then_some(Self { v: Self::VERSION, venue: old.venue, quantity: old.qty })
    }
}

#[test]
fn the_version_before_is_upgraded_and_any_other_is_refused() {
    let venue = VenueConfig::default().venue_id();
    let read = |text: &str| decode::<Renamed>(venue, of_venue(text).as_bytes());
    let message = Renamed { v: 2, venue, quantity: 7 };
    assert_eq!(read(r#"{"v": 2, "venue": "VENUE", "quantity": 7}"#).as_ref(), Ok(&message));
    assert_eq!(read(r#"{"v": 1, "venue": "VENUE", "qty": 7}"#).as_ref(), Ok(&message));
    // Each version has its own shape, and there is no version 9.
    assert!(matches!(read(r#"{"v": 2, "venue": "VENUE", "qty": 7}"#), Err(Unreadable::Malformed(_))));
    assert_eq!(read(r#"{"v": 9, "venue": "VENUE", "quantity": 7}"#), Err(Unreadable::Version(9)));
}

#[test]
fn another_version_or_venue_is_refused_and_an_added_field_is_not() {
    let venue = VenueConfig::default().venue_id();
    let read = |text: &str| decode::<CommandMessage>(venue, text.as_bytes());
    let text = of_venue(COMMAND);
    assert_eq!(read(&text.replace("\"v\": 1", "\"v\": 2")), Err(Unreadable::Version(2)));
    // A newer version may have none of this one's fields.
    assert_eq!(read(r#"{"v": 9}"#), Err(Unreadable::Version(9)));
    let other = VenueId::from_name("other");
    assert_eq!(read(&COMMAND.replace("VENUE", &other.to_string())), Err(Unreadable::Venue(other)));
    assert!(matches!(
        read(&text.replace("\"correlation\"", "\"corelation\"")),
        Err(Unreadable::Malformed(_))
    ));
    assert!(matches!(read(&text.replace("100,", "\"100\",")), Err(Unreadable::Malformed(_))));
    assert_eq!(read(&text.replace("\"v\": 1,", "\"v\": 1, \"newer\": {},")), read(&text));
}
