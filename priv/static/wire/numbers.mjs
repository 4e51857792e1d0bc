// Numbers of the packed format, under the names they have in its table (c_src/include/roomfold/wire.inl), with which a test compares them.

export const VERSION = 1;
export const WORDS_MAX = 1024;
export const WORD_BYTES = 1024;
export const NIBBLES_MAX = 22;
export const DELTA_WIDTH_BITS = 4;
export const STEPS_MAX = 2 ** 23;
export const REACH_MAX = 2 ** 22;
export const QUATERNION_BITS_MIN = 4;
export const QUATERNION_BITS_MAX = 16;
export const SUFFIX_MAX = 999999999;
