-- How the call sounded over its time; see sounds.rs for the format. `size` counts it, too. NULL: nothing was heard, or the
-- call ended before this version.
ALTER TABLE messages ADD COLUMN sound BLOB;
