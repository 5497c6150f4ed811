-- Guests are users whose e-mail address has no @. One who can never come back,
-- because no session is left, is removed.

-- Start of a guest's removal. From then on the guest cannot register: the venue
-- may have closed the account already. Deleting the row ends the removal.
ALTER TABLE users ADD COLUMN removal_at BIGINT;

CREATE INDEX guests ON users (created_at) WHERE email NOT LIKE '%@%';
