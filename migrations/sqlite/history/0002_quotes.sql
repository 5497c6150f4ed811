-- Old quotes are removed by instrument.
CREATE INDEX dealer_quotes_by_step ON dealer_quotes (venue_id, instrument_id, step);
