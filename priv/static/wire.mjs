// The packed wire format, read. This version of the client reads none of its versions: it asks for JSON.

/** The versions of the packed format that `Decoder` reads, for the join. @type {number[]} */
export const versions = [];

/**
 * Reads the packed frames of one world, one after the other: a diff is told in terms of what came before it.
 */
export class Decoder {
  /**
   * @param {Uint8Array} bytes one frame
   * @returns {import("./roomfold/world.mjs").Frame} what the same frame says as JSON
   */
  decodeFrame(bytes) {
    throw new Error(`this client reads no packed frames (version ${bytes[0] >> 4}): join with format "json"`);
  }
}
