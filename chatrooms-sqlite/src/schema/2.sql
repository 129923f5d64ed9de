-- What a host has imposed on people in the room, for the life to go on with after a restart.
ALTER TABLE chatrooms_lives ADD COLUMN note TEXT NOT NULL DEFAULT '';
