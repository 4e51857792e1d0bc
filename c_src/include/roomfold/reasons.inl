// Every reason for an error, once: C makes rf_status from it, Elixir Roomfold.Error, and tools/errors-page docs/errors.md.
// X(C name, atom, message for a person); above it, behind //:, when.
//| # Errors
//|
//| Made by `tools/errors-page` from `c_src/include/roomfold/reasons.inl`; change that file, not this one.
//|
//| Whatever can fail on data answers `{:error, %Roomfold.Error{}}`, and its `!` form raises it; in C every such call returns an
//| `rf_status`, and `rf_error` says where. The reason is one of these, the same in C, Elixir, the port and (as a string) for clients. `message` is the
//| sentence below with the place in front: `index` is the event in its batch, from 0; `offset` the byte of a text or a frame; `component` and `field` say
//| what of the event; `event` is the name that no rule knows, or that its sender may not send; `detail` is what the message ends with. What an event's error leaves out, and what is folded nevertheless: docs/event-model.md.
//|
//| The numbers (`rf_status`, `Roomfold.Error.number/1`) are the places in these tables, from 1: those of this version.
//|
//| ## Calls
//| | reason | message | when |
//| |---|---|---|
//: the C core, the NIF, the log or the program was refused memory; of a fold: the world is as it was before the event at hand, its handle is used no more
X(NO_MEMORY, no_memory, "there is not enough memory")
//: a call whose argument can mean nothing: a diff from a later seq, a place that a replay can't go to, what is no shot or no zone, the name of a room there is (`fork`); a client's join or input that says so little; in C also a definition out of range
X(INVALID_ARGUMENT, invalid_argument, "an argument is not what the function takes")
//|
//| ## JSON and values
//| | reason | message | when |
//| |---|---|---|
//: JSON text, with the byte: anything RFC 8259 does not have there, also behind the value; an event that is a line of such text
X(UNEXPECTED_BYTE, unexpected_byte, "this byte can't stand here in JSON")
//: JSON text, with the byte where it ends
X(UNEXPECTED_END, unexpected_end, "the JSON text ends too early")
//: a string or key, in JSON text (with the byte) or in a term, an id or a topic to be encoded
X(INVALID_UTF8, invalid_utf8, "a string is not valid UTF-8")
//: beyond 64 levels of an event (62 of a component's value), `:max_depth` of `JSON.decode`, 512 of `JSON.encode`
X(TOO_DEEP, too_deep, "lists and objects are nested too deeply")
//: a term or string beyond `:max_value_bytes`, a text beyond `:max_bytes`, an event beyond `:max_event_bytes`, a client's input or join beyond `:max_input_bytes`, a port's frame beyond `:max_frame_bytes`, an append beyond `:max_append_bytes`
X(TOO_LARGE, too_large, "the value is larger than the limit")
//: a number that binary64, or the component's type, cannot hold, in what a room takes in also where nothing wants it; an integer beyond 64 bits in an event, beyond 16,384 digits in plain JSON; a place or a size of a shot that is too far or too large
X(NUMBER_OUT_OF_RANGE, number_out_of_range, "the number is out of range")
//: an object of an event's JSON text has a key twice (plain `JSON.decode` takes the last)
X(DUPLICATE_KEY, duplicate_key, "an object has the same key twice")
//: a term that JSON has not: an atom, a tuple, an improper list, a key that is no binary
X(UNSUPPORTED_VALUE, unsupported_value, "the value has no JSON counterpart")
//|
//| ## Events, in a fold's report or a publish's answer
//| | reason | message | when |
//| |---|---|---|
//: an element of a batch that is no `{name, payload}` and no object; by its index
X(NOT_AN_EVENT, not_an_event, "an event must be {name, payload}, a string and a map whose keys are strings, or a JSON object")
//: an event without a name, with two, or with one of 0 or more than 255 bytes; a nameless object that is neither component first nor by kind
X(INVALID_NAME, invalid_name, "an event needs one name, a string of 1 to 255 bytes")
//: a name that the rules don't have, and neither create, update nor delete
X(UNKNOWN_EVENT, unknown_event, "no rule says what this event does")
//: an event's seq that is no integer from 1 to 2^53-1; the event is left out and takes the next seq; also an acknowledgement that is none
X(INVALID_SEQ, invalid_seq, "seq must be an integer from 1 to 2^53-1")
//: an id, of an entity, a room or a sender, that is empty, longer than 255 bytes, no string, or no UTF-8; the field says which
X(INVALID_ID, invalid_id, "an id must be a string of 1 to 255 bytes of UTF-8")
//: a create or update whose components are no map
X(INVALID_COMPONENTS, invalid_components, "components must be a map")
//: one component's name; the others of the event are taken
X(INVALID_COMPONENT_NAME, invalid_component_name, "a component's name must be 1 to 255 bytes of UTF-8 and not \"id\"")
//: one component's value (the others are taken); the detail says what the component takes
X(WRONG_TYPE, wrong_type, "the value does not fit the component's type")
//: a rule's `add` of what is no number, or to what is none
X(NOT_A_NUMBER, not_a_number, "only a number can be added, and only to a number")
//: a rule's `put` or `take` of what is no string, or to what is no list of strings
X(NOT_A_SET, not_a_set, "only strings can be put into a set, and only lists of strings are sets")
//: one more undeclared component than `:max_undeclared`
X(TOO_MANY_COMPONENTS, too_many_components, "the entity has too many undeclared components")
//|
//| ## Worlds
//| | reason | message | when |
//| |---|---|---|
//: a create beyond `:max_entities`; a packed frame with a handle beyond it
X(WORLD_FULL, world_full, "the world has as many entities as it may have")
//: a diff, or a packed frame's handles, from a seq more than `:history` ago, or before the world was made
X(HISTORY_GONE, history_gone, "the world does not remember this seq any more")
//: a diff, or a packed frame's handles, from a seq that has not come; `state_at` of one
X(SEQ_AHEAD, seq_ahead, "the world has not reached this seq")
//: a diff applied where it does not start, a snapshot loaded into a world of another seq
X(SEQ_MISMATCH, seq_mismatch, "the diff does not start at the world's seq")
//: any call with a world that `fold`, `apply_diff` or `load` has made another one of; one whose folding was cut short
X(FOLDED_ON, folded_on, "this world has been folded on: use the newest one, or a copy made before")
//: `Schema.new/2`, `Schema.from_json/1`, `schema.h`; the detail says what
X(INVALID_SCHEMA, invalid_schema, "the schema is not valid")
//: `Rules.new/1`, `Rules.from_json/1`; constants that don't fit the world's schema (`World.new/1`); the detail says what
X(INVALID_RULES, invalid_rules, "the rules are not valid")
//: `World.load/2`: the form, an id, or a component that does not fit
X(INVALID_SNAPSHOT, invalid_snapshot, "the snapshot is not valid")
//: `World.apply_diff/2`: the form, or an operation that does not fit
X(INVALID_DIFF, invalid_diff, "the diff is not valid")
//|
//| ## Hits
//| | reason | message | when |
//| |---|---|---|
//: `Level.from_json/2`, `Level.from_map/2` and `level.h`, or a level given to `World.new/1`: a wall, box or triangle that is none, numbers that are too large
X(INVALID_LEVEL, invalid_level, "the level is not valid")
//: a target's or a shot's shape, a zone's (`Hits.overlap/2`)
X(INVALID_COLLIDER, invalid_collider, "a collider needs a shape that fits here, and sizes that are not negative")
//: a ray, or anything swept, that goes nowhere
X(ZERO_DIRECTION, zero_direction, "a shot needs a direction that is not zero")
//: a shot that names a seq or a time before or after what is remembered (`:history_ms`)
X(UNKNOWN_MOMENT, unknown_moment, "nothing is remembered of this moment")
//|
//| ## Rooms and sessions
//| | reason | message | when |
//| |---|---|---|
//: input that sets `seq`, `at`, `by` or an event's name; the field says which
X(RESERVED_FIELD, reserved_field, "the room sets this field")
//: an event whose rule is not for this sender, one that the room's module or a system refused, a user's change of what a system keeps to itself (the component or the field says what), anything published into a replay
X(NOT_ALLOWED, not_allowed, "this sender may not send this event")
//: a user's event about an entity whose id, and whose `owner`, is somebody else's; in a room's answer the detail says who sent it and whose the entity is
X(NOT_OWNED, not_owned, "a user speaks for itself and for what it owns")
//: more events, bytes, joins or acknowledgements in a second than the room, or the session, takes from one sender; or as many connections as a user may have
X(RATE_LIMITED, rate_limited, "this sender sends too much")
//: the room's queue, or the client's, is full; or there was no answer in time (then it may still have been done)
X(OVERLOADED, overloaded, "the room has more to do than it can")
//: the past of a room (`state_at`, `diff`, `fork`, `refold`, `hashes`, `replay`) that no log knows; a room by a pid that is gone, or in a `Roomfold.Rooms` that does not run; a replay without events. (Whatever is asked of a room as it is now starts it.)
X(NO_ROOM, no_room, "there is no such room")
//: the room, or its node, ended while it was asked
X(ROOM_CLOSED, room_closed, "the room has stopped")
//: packed input where the implementation has none, a frame by handle as text, the past of a room without a log, a second user of a room in one process
X(NOT_SUPPORTED, not_supported, "this is not supported")
//|
//| ## Logs
//| | reason | message | when |
//| |---|---|---|
//: an append, a snapshot or a claim by a room that is not the room's authority any more; it stops
X(OLD_TERM, old_term, "somebody else has claimed this room since: this term may not write any more")
//: an append that does not go on where the log ends, a snapshot of a seq that the log does not have
X(WRONG_SEQ, wrong_seq, "this is not the seq at which the room's log stands")
//: an append with a record that is none; nothing of the append is kept
X(INVALID_RECORD, invalid_record, "a record must be one line of JSON text, not empty and without a zero byte")
//: a read from before what `trim` left; so the past of a room before its oldest snapshot, and a fork of it
X(LOG_TRIMMED, log_trimmed, "the log does not keep these records any more")
//: the disk, or `:max_bytes`
X(LOG_FULL, log_full, "there is no space left for the log")
//: another process writes for longer than `:busy_timeout`
X(LOG_LOCKED, log_locked, "the log is in use by somebody else")
//: the file, or its folder, may not be written
X(LOG_READONLY, log_readonly, "the log can't be written: its file or its folder is read-only")
//: the file is something else, or of another version
X(LOG_FORMAT, log_format, "the file is not a log that this version of Roomfold reads")
//: a room is opened, or its past is read, with an older `:rules_version` or `:schema_version` than some of its records have: upcasters lead forward only
X(LOG_NEWER, log_newer, "the log has records of a newer version than the room's")
//: a room is opened, or its past is read, that is a fork which was broken off (its VM died) or is still being made
X(FORK_UNFINISHED, fork_unfinished, "this room is a fork that is not finished: if nobody makes it any more, fork to its id again, or delete it from the log")
//: a checksum, a chain or a count does not hold: this room's read fails, nobody else's
X(LOG_DAMAGED, log_damaged, "the log is damaged")
//: an input or output error; the log's process is not there, or ended
X(LOG_FAILED, log_failed, "the log failed")
//|
//| ## Packed frames
//| | reason | message | when |
//| |---|---|---|
//: a packed frame, with the byte: cut, a length that lies, a number out of range, a handle of nobody, bits that are no form of anything. Nothing of it is used
X(INVALID_FRAME, invalid_frame, "the packed frame is not valid")
//: a packed frame's first byte: another version, or another kind than the call takes
X(UNKNOWN_VERSION, unknown_version, "the packed frame has another version or is of another kind")
//: a packed frame's schema tag, with the byte; in the browser also a diff before a snapshot
X(SCHEMA_MISMATCH, schema_mismatch, "the packed frame was made with another schema")
//|
//| ## Clusters
//| | reason | message | when |
//| |---|---|---|
//: the room, or its past, is at home on a node that can't be reached (`Placement.Global`)
X(NODE_AWAY, node_away, "the node that has the room can't be reached")
//: this node differs from those that are there, in version, rules or schema (`Cluster`)
X(NODE_REFUSED, node_refused, "this node may have no rooms: it is not one of the cluster")
//|
//| ## The port
//| | reason | message | when |
//| |---|---|---|
//: `:max_waiting` calls of the port wait already, or this one waited longer than `:timeout`; it has not been begun
X(PORT_BUSY, port_busy, "the port process has more to do than it can")
//: the program took longer than `:timeout` for this one call, twice
X(PORT_TIMEOUT, port_timeout, "the port process did not answer in time: it was started anew, and the call has not been done")
//: the program ended at this call, three times
X(PORT_CRASHED, port_crashed, "the port process ended at this call, each time it was tried: the call has not been done")
