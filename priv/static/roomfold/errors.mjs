// Why a frame can't be used.

/** A diff that starts somewhere else than where the world is: something between was lost. */
export class GapError extends Error {
  /** @param {number} seq where the world is @param {number} from where the diff starts */
  constructor(seq, from) {
    super(`the diff starts at seq ${from}, the world is at ${seq}`);
    this.name = "GapError";
    this.reason = "seq_mismatch";
    this.seq = seq;
    this.from = from;
  }
}

/** Something that is no snapshot and no diff. */
export class FrameError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "FrameError";
  }
}

const TEXTS = {
  invalid_frame: "it is not as the format says",
  unknown_version: "another version of the format, or another kind of frame",
  schema_mismatch: "it was made with another schema",
  world_full: "a handle is too large",
};

/** Bytes that are no packed frame, or not one for this world. */
export class WireError extends FrameError {
  /** @param {"invalid_frame" | "unknown_version" | "schema_mismatch" | "world_full"} reason @param {number} offset the byte of the frame */
  constructor(reason, offset) {
    super(`bad packed frame at byte ${offset}: ${TEXTS[reason]}`);
    this.name = "WireError";
    this.reason = reason;
    this.offset = offset;
  }
}
