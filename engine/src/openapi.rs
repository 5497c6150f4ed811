//! JSON schemas of the scalars that the API sends: ids, decimals, money, times.
//!
//! Structs and enums derive theirs. Does not know which answer contains what.

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::decimal::Decimal;
use crate::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq, TradeId, VenueId};
use crate::money::Money;
use crate::order::ClientOrderId;
use crate::position::Basis;
use crate::time::{Date, VenueTime, WallTime};

macro_rules! scalars {
    ($($name:ident: $description:literal, $schema:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Schema::Object($schema.description(Some($description)).build()).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

scalars! {
    AccountId: "Id of an account.", format(KnownFormat::Uuid);
    InstrumentId: "Id of an instrument.", format(KnownFormat::Uuid);
    OrderId: "Id of an order; ids of one venue sort by acceptance.", format(KnownFormat::Uuid);
    QuoteId: "Id of a dealer's quote.", format(KnownFormat::Uuid);
    TradeId: "Id of a match between two orders.", format(KnownFormat::Uuid);
    VenueId: "Id of a venue.", format(KnownFormat::Uuid);
    Digest: "SHA-256 digest as hexadecimal digits.", pattern("^[0-9a-f]{64}$");
    ClientOrderId: "The client's name for an order, unique in its account: printable ASCII characters without spaces.",
        pattern("^[!-~]{1,64}$");
    Decimal: "Exact decimal number as text. A price is in currency units for one unit of the instrument (a bond's: \
              for 100 of face), a quantity in units of the instrument.",
        pattern(r"^-?[0-9]+(\.[0-9]{1,18})?$").examples(["101.25"]);
    Money: "Exact amount in units of the venue's currency as text, with two to six decimals.",
        pattern(r"^-?[0-9]+\.[0-9]{2,6}$").examples(["1000000.00"]);
    Basis: "Cost in units of 1e-18 of the venue's currency, a whole number as text.",
        pattern("^-?[0-9]+$").examples(["10025000000000000000000"]);
    Seq: "Sequence number of a journal entry; 0 is before the first.",
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0));
    VenueTime: "Time of the simulated venue, RFC 3339 in UTC, to the microsecond.",
        format(KnownFormat::DateTime).examples(["2026-01-05T09:30:00.000000Z"]);
    WallTime: "Time of day outside the simulation, RFC 3339 in UTC, to the microsecond.",
        format(KnownFormat::DateTime).examples(["2026-01-05T09:30:00.000000Z"]);
    Date: "Date of the simulated venue.", format(KnownFormat::Date).examples(["2036-02-15"]);
}

fn format(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)))
}

fn pattern(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}
