// wire.inl: the packed format, once. C and Elixir take their numbers from the rows, JavaScript repeats some of them
// (priv/static/wire/numbers.mjs; a test compares them), and tools/wire-page makes docs/wire-format.md from the rows and
// from the lines that begin with "//|".
//
// Each kind of row is a macro that its includer defines: RF_WIRE_FRAME(NAME, number, "what it is"), and so on.
#ifndef RF_WIRE_FRAME
#define RF_WIRE_FRAME(name, number, text)
#endif
#ifndef RF_WIRE_TYPE
#define RF_WIRE_TYPE(name, number, text)
#endif
#ifndef RF_WIRE_QUANTISE
#define RF_WIRE_QUANTISE(name, number, text)
#endif
#ifndef RF_WIRE_OP
#define RF_WIRE_OP(name, number, text)
#endif
#ifndef RF_WIRE_SEQ
#define RF_WIRE_SEQ(name, number, text)
#endif
#ifndef RF_WIRE_POSE
#define RF_WIRE_POSE(name, number, text)
#endif
#ifndef RF_WIRE_NUMBER
#define RF_WIRE_NUMBER(name, number, text)
#endif

//| # The packed wire format
//|
//| Made by `tools/wire-page` from `c_src/include/roomfold/wire.inl`; change that file, not this one.
//|
//| A frame is a run of bytes without a length of its own: whatever carries it (a WebSocket message, a file with lengths) says
//| where it ends, and a frame must end exactly there. Numbers of several bytes are little-endian. JSON stays the fall-back: client
//| and server agree at join on the newest version that both know.
//|
//| ## Numbers of the format
//| | name | value | |
//| |---|---|---|
RF_WIRE_NUMBER(VERSION, 1, "this version of the format; a decoder refuses any other")
RF_WIRE_NUMBER(WORDS_MAX, 1024, "words in a schema")
RF_WIRE_NUMBER(WORD_BYTES, 1024, "bytes of one word in compact form")
RF_WIRE_NUMBER(NIBBLES_MAX, 22, "groups of one nib")
RF_WIRE_NUMBER(DELTA_BITS, 16, "bits of a number in a delta, at most")
RF_WIRE_NUMBER(DELTA_WIDTH_BITS, 4, "bits of a delta's width minus one")
RF_WIRE_NUMBER(STEPS_MAX, 8388608, "steps between the bounds of a quantised number, at most (2^23)")
RF_WIRE_NUMBER(REACH_MAX, 4194304, "steps from zero to a bound, at most (2^22)")
RF_WIRE_NUMBER(QUATERNION_BITS_MIN, 4, "bits of each of the smallest three, at least")
RF_WIRE_NUMBER(QUATERNION_BITS_MAX, 16, "bits of each of the smallest three, at most")
RF_WIRE_NUMBER(SUFFIX_MAX, 999999999, "the number that follows a word in a name, at most")
RF_WIRE_NUMBER(SUFFIX_DIGITS, 9, "decimal digits of that number, at most")
RF_WIRE_NUMBER(TAG_OTHERS, 16, "bit 4 of an event's tag: others follow")
RF_WIRE_NUMBER(TAG_FIELDS, 32, "bit 5 of an event's tag: fields follow")
RF_WIRE_NUMBER(TAG_TEXT, 9, "first byte of a field value that is a text of the frame")
//|
//| ## Frames
//| The first byte of a frame is `version * 16 + kind`, so 0x11 to 0x14.
//|
//| | kind | number | |
//| |---|---|---|
RF_WIRE_FRAME(SNAPSHOT, 1, "all there is, with the schema: a client needs nothing else")
RF_WIRE_FRAME(DIFF, 2, "what changed between two seqs, for everybody who has the world as it was at the first")
RF_WIRE_FRAME(EVENTS, 3, "a batch of events, for folding, logging and converting; always lossless")
RF_WIRE_FRAME(INPUT, 4, "what a client sends: poses, named events, what it has received")
//|
//| ## How to read the parts below
//| Bytes:
//| - `u8`, `f32`, `f64`: one byte; a binary32; a binary64.
//| - `varint`: LEB128: 7 bits a byte from the lowest on, the top bit of a byte says that more follow; at most 64 bits (so at most
//|   10 bytes), and the last byte is not 0 unless it is the only one (so that a number has one form only).
//| - `bytes`: a varint length, then so many bytes. `text` is `bytes` of valid UTF-8.
//| - `term`: a compact term (docs/event-model.md, Terms), in canonical form: shortest varints, keys of maps sorted by bytes without
//|   repeats, a float as binary32 if that is the same number bit for bit, valid UTF-8, at most 62 levels of lists and maps.
//|
//| Bits: a part that is marked *bits* is one stream of bits; the first is the lowest bit of the first byte. At its end the bits left in
//| the last byte are 0.
//| - `bits(n)`: a number of n bits, the lowest first. `bit` is bits(1). A binary32 is bits(32), a binary64 bits(32) (low half) and bits(32).
//| - `nib`: like varint in groups of 4 bits: 3 bits of the number, the lowest group first, then a bit that says that more groups
//|   follow. 5 is 0b0101; 8 is 0b1000, 0b0001. At most 64 bits, so 22 groups; the last one is not 0 unless it is the only one.
//| - `zigzag`: 0, -1, 1, -2, 2 ... as 0, 1, 2, 3, 4 ...: `n >= 0 ? 2n : -2n - 1`.
//|
//| Everything else is an error (`invalid_frame`; for a term with too many levels in the whole bytes of events and input `too_deep`), with the byte
//| where it was found; nothing of a bad frame is used.
//|
//| ## Snapshot
//| | part | form |
//| |---|---|
//| | 0x11 | u8 |
//| | seq | varint |
//| | schema | bytes; see below |
//| | entities | bits: a list of *handles*; behind each handle a *whole* |
//|
//| ## Diff
//| | part | form |
//| |---|---|
//| | 0x12 | u8 |
//| | seq | varint; what the receiver is at after it |
//| | back | varint; seq - back is what the receiver must be at, else the error is `seq_mismatch` (a gap) |
//| | schema tag | u8; see Schema |
//| | deletes | bits: a list of *handles* |
//| | creates | bits, going on: a list of handles; behind each a *whole* |
//| | updates | bits, going on: a list of handles; behind each a *change* |
//|
//| With back = 0 all three lists are empty. A receiver first removes all entities whose handles stand under deletes or creates, then adds the
//| creates, then changes the updates. (An entity may come back under another handle: then its old handle stands
//| under deletes or has gone to somebody else, and its id under creates.) An id that is there twice after that, a
//| delete or an update of a handle without an entity, and a handle in two of the lists are errors.
//|
//| ### Handles
//| An entity has a small number, its handle, from its creation to its end; then the handle is given to another. A list of handles is
//| ascending; each is one nib g >= 1: handle = last + g, where last is the handle before in this list, -1 at its start. g = 0 ends the list.
//|
//| ### Whole
//| | part | form |
//| |---|---|
//| | id | *name* |
//| | components | *mask*; which components of the schema the entity has |
//| | others | bit; 1: others follow |
//| | values | for each component of the mask, from the lowest bit on: its *value*, whole |
//| | others | if the bit is 1: nib count (at least 1); for each, sorted by name in bytes: *name*, *any term* |
//|
//| ### Change
//| | part | form |
//| |---|---|
//| | components | *mask*; which changed |
//| | plain | bit; 0: then nothing is removed and there are no others |
//| | removed, others | if plain is 1: bit, bit |
//| | which | if removed: one bit for each component of the mask, 1: it was removed |
//| | values | for each component of the mask that was not removed: its *value*, changed |
//| | others | if others: nib count; for each, sorted by name: *name*, bit; 0: *any term*; 1: it was removed |
//|
//| Removing what is not there is harmless.
//|
//| ### Mask
//| A number with a bit for each component of the schema, the first component in the lowest bit. The lists creates (or
//| entities) and updates each begin with `recent = 0, before = 0`.
//| - `0`: recent.
//| - `1, 0`: before; then recent and before are exchanged.
//| - `1, 1, bits(components in the schema)`: this one; then before = recent, recent = this.
//|
//| ### Name
//| An id, the name of a component, or the value of a string component: nib w.
//| - w = 0: nib length, then so many times bits(8).
//| - w > 0: word w - 1 of the schema, which must be a string; then a bit; if it is 1, a nib n <= 999,999,999 follows, and the text is the word with n
//|   in decimal behind it.
//|
//| An encoder takes the word itself if there is one; else, if the text ends in digits, at most 9, without a leading zero (the digit 0
//| alone may stand), and what stands before all of them is a word, the word and the number; else w = 0.
//|
//| ### Any term
//| Any JSON value: nib w. w = 0: nib length, then so many times bits(8): a term. w > 0: word w - 1; if that is a string, a bit and perhaps a
//| number follow as in a name. An encoder takes a word wherever it can.
//|
//| ### Values
//| By the component's type; n is its count of numbers.
//|
//| | type | whole | changed |
//| |---|---|---|
//| | f32, not quantised | n times bits(32) | the same |
//| | f64, not quantised | n times 2 bits(32) | the same |
//| | f32, f64, with a step | bit; 0: *steps*; 1: raw, as if not quantised | `0`: *delta*; `1, 0`: steps; `1, 1`: raw |
//| | f32 x 4, smallest three | bit; 0: *quaternion*; 1: raw | `0`: bits(2) index, *delta*; `1, 0`: quaternion; `1, 1`: raw |
//| | i64 | nib of the zigzag | the same |
//| | bool | bit | the same |
//| | string | *name* | the same |
//| | term | *any term* | the same |
//|
//| A float is finite. All arithmetic is binary64, in the order that is written, each operation rounded; the value of an f32 is rounded to binary32 at the end.
//|
//| **Steps**: n times bits(b). With the schema's step, min and max: `steps = ceil((max - min) / step)`, b is the number of bits of `steps`; a number q
//| stands for `min + q * step`; q > steps is an error. An encoder takes `q = floor((v - min) * (1 / step) + 0.5)`, and raw for
//| all n numbers if one is not within 0 .. steps. So |v - v'| <= step / 2, and the rounding to binary32 (at most step / 4 more, where |v| reaches 2^22 steps).
//|
//| **Quaternion**: bits(2) index, then three times bits(b) with the schema's b: the numbers of the other three places of x y z w, in this order. With
//| `H = 2^(b-1) - 1` a number q stands for `(q - H) * (0.7071067811865476 / H)`; q > 2H is an error. The number at index is
//| `sqrt(1 - a * a - b * b - c * c)` of the three, 0 if that is negative. An encoder takes raw if `s = x * x + y * y + z * z + w * w` is not within 63/64 .. 65/64; else index
//| is the place of the largest by magnitude (the first of equals); `k = (1.875 - s * (1.25 - s * 0.375)) * (1.4142135623730951 * H)`, negative if the largest
//| is, where the first factor is nearly `1 / sqrt(s)`; each v of the other three becomes `floor(v * k + (H + 0.5))`, at most 2H, at least 0. So each of the
//| three numbers is off by at most 0.3536 / H + 0.0000012 from those of the unit quaternion
//| (10 bits: 0.0007).
//|
//| **Delta**: bits(4), the width minus one; one bit for each number (n; for a quaternion 3), 1: it changed; for each that did: bits(width),
//| the zigzag of new q minus old q, not 0. The old q is what the encoder's formula gives for the value that the receiver has (for
//| a quaternion: with the index that is sent, whatever is largest; and only if the number at that index is not negative the signs stay). It is an error if the receiver has no such
//| component, its value has no q, or the new q is out of range.
//|
//| An encoder leaves out a changed component whose q's are what they were at the diff's start, and an entity of which nothing is left. It takes a delta if it knows
//| the q's at the start (and, for a quaternion, the index is the same), the width is at most 16, and the delta is shorter than the whole in bits.
//| A world knows, for each quantised component, the values that its last `history` changes and removals by an update replaced.
//|
//| ## Schema
//| | part | form |
//| |---|---|
//| | components | varint count; for each: |
//| | - name | text |
//| | - type | u8 |
//| | - count | u8; 1 to 16 numbers of an f32 or f64; else 1 |
//| | - decimals | u8; how many decimals JSON shows, plus one; 0: as many as needed |
//| | - quantise | u8; then, for `step`: f64 step, f64 min, f64 max; for `smallest three`: u8 bits |
//| | words | varint count; for each: term |
//|
//| The *schema tag* in other frames is for finding mistakes: the FNV-1a hash of 32 bits of these bytes (without the length in front; offset 2166136261, prime 16777619), its four
//| bytes put together by xor. Another tag than that of one's own schema is an error (`schema_mismatch`).
//|
//| | type | number | |
//| |---|---|---|
RF_WIRE_TYPE(F32, 0, "binary32")
RF_WIRE_TYPE(F64, 1, "binary64")
RF_WIRE_TYPE(I64, 2, "an integer of 64 bits")
RF_WIRE_TYPE(BOOL, 3, "true or false")
RF_WIRE_TYPE(STRING, 4, "UTF-8")
RF_WIRE_TYPE(TERM, 5, "any JSON value")
//|
//| | quantise | number | |
//| |---|---|---|
RF_WIRE_QUANTISE(NONE, 0, "lossless")
RF_WIRE_QUANTISE(STEP, 1, "each number in steps from min to max")
RF_WIRE_QUANTISE(SMALLEST_THREE, 2, "a unit quaternion x y z w: the three numbers that are not the largest")
//|
//| ## Events
//| Whole bytes throughout.
//|
//| | part | form |
//| |---|---|
//| | 0x13 | u8 |
//| | known | varint; the seq whose handles the events use; 0 if they use none |
//| | first | varint; the seq of the first event; 0: events have no seq of their own |
//| | schema tag | u8 |
//| | texts | varint count; for each: text |
//| | events | varint count; for each: u8 tag, then what it says |
//|
//| The tag: bits 0 and 1 are the kind of the event, bits 2 and 3 say what seq it has, bit 4 says that others follow, bit 5
//| that fields follow (both only for create and update; fields also for delete); the other bits are 0.
//|
//| | kind | number | |
//| |---|---|---|
RF_WIRE_OP(CREATE, 0, "creates an entity")
RF_WIRE_OP(UPDATE, 1, "merges components into an entity")
RF_WIRE_OP(DELETE, 2, "removes an entity")
RF_WIRE_OP(NAMED, 3, "any other event: a name and fields")
//|
//| | seq | number | |
//| |---|---|---|
RF_WIRE_SEQ(NEXT, 0, "that of the event before plus one (of the first: first); none if that has none")
RF_WIRE_SEQ(GIVEN, 1, "a varint, 1 to 2^53-1, behind the tag")
RF_WIRE_SEQ(NONE, 2, "none")
//|
//| **create, update, delete**: varint entity. Below the number of texts it is a text: the entity's id. From there on it is a handle: entity - count of
//| texts, and means whoever had that handle at the seq `known`. If that entity is no more, or the handle went to somebody else since, the
//| operation is `orphaned` (for a create too). If the world does not remember the seq `known`, that is the error `history_gone` or `seq_ahead`.
//|
//| Then, not for delete: varint mask of the components (of the schema) that follow; for each, from the lowest bit on, its value: n times f32 or f64
//| (finite), for i64 a varint of the zigzag, for bool u8 0 or 1, for string text, for term a term (of a JSON null: the component is removed).
//| Then, with bit 4: varint count (at least 1) of others; for each: varint name (a text), then a *field value*: components that are not in the schema, that are
//| null, or whose value does not fit the schema's type. They stand in ascending order of their names' numbers; no name stands twice.
//|
//| Then, with bit 5: varint count (at least 1) of fields, as below: what the event's payload holds beside entity_id, components and seq.
//|
//| **named**: varint name (a text), varint count of fields; for each: varint key (a text), then a *field value*. Fields stand in ascending order of their keys' numbers; no key stands twice. A create, update or delete that has no
//| valid id or no map of components is written in this form too, under its name, with all it has.
//|
//| A *field value* is a term, or the byte 9 and a varint: the text of that number.
//|
//| A decoder may refuse texts that no event needs. Folding a frame means the same as folding its events as a list; only bad frames are refused as a whole.
//|
//| ## Input
//| | part | form |
//| |---|---|
//| | 0x14 | u8 |
//| | ack | varint; the seq that the client has the world of; 0: none |
//| | input | varint; the number of this input, counted up by the client |
//| | schema tag | u8; 0 with ack 0 if the client has no schema yet (then poses is 0) |
//| | poses | u8; one bit for each pose that follows |
//| | | bits: for each pose, from the lowest bit on: the *value*, whole, of the schema's component `position`, then of its component `rotation` |
//| | events | varint count; for each: text name, term payload (a map) |
//|
//| | pose | bit | |
//| |---|---|---|
RF_WIRE_POSE(HEAD, 0, "the head")
RF_WIRE_POSE(LEFT, 1, "the left hand")
RF_WIRE_POSE(RIGHT, 2, "the right hand")
//|
//| If the schema's `position` is not an f32 x 3 or its `rotation` not an f32 x 4, they are written as raw f32 x 3 and f32 x 4 (bits(32) each).
//|
//| ## Limits
//| A decoder in C allocates at most 4096 bytes for each byte of a snapshot or diff (what costs most are entities far apart with many small components), beside tables of 8 bytes
//| for each 64 of `max_entities` and component, and so never more than a world of `max_entities` entities needs; for each byte of events and input at most 256. Those in Elixir and
//| JavaScript keep a few words for each bit. No length or count is believed before the bytes are there. Handles are below
//| `max_entities` (`world_full`), one term or string has at most `max_value_bytes` (`too_large`), an entity at most `max_undeclared` others (`too_many_components`), ids and names
//| have 1 to 255 bytes (`invalid_frame`), a component is not called `id`.
//|
//| ## What it comes to
//| Bytes per changed entity (created, updated or deleted), one diff for each tick, headers of frames included. Quantised: positions at 1 mm
//| between -500 and 500 m, rotations with 10 bits, and words from the first tenth of each match. Colyseus: numbers as float32 .. quantised to 16 bits where that
//| is enough. Match by match, and with times: `docs/wire-figures.md`.
//|
//| | | JSON | term_to_binary | @colyseus/schema | packed, lossless | packed, quantised |
//| |---|---|---|---|---|---|
//| | ten recorded matches at 35 Hz, 561,894 changes | 66.4 | 91.6 | 16.3 .. 15.0 | 18.7 | 5.9 |
//| | one of them, least to most | 61.7 .. 70.0 | 85.5 .. 96.9 | 15.3 .. 18.5, 13.7 .. 17.5 | 17.0 .. 20.2 | 5.6 .. 7.2 |
//| | head and two hands, three VR recordings at 72 Hz | 116 .. 119 | 142 | 36.9, 20.4 .. 21.4 | 31.3 | 6.8 .. 7.4 (1.5 .. 1.6 kB/s) |
//| | 1,000 entities moved and rotated at random, within 128 m | 95.1 (4 decimals) | 121.0 | | 28.8 | 11.6 |

#undef RF_WIRE_FRAME
#undef RF_WIRE_TYPE
#undef RF_WIRE_QUANTISE
#undef RF_WIRE_OP
#undef RF_WIRE_SEQ
#undef RF_WIRE_POSE
#undef RF_WIRE_NUMBER
