/**
 * Version of the wire format. It grows when a message that was valid becomes invalid or changes its meaning, and when a
 * field or a message is added: unknown fields are refused, so an addition is a change too.
 */
export const PROTOCOL_VERSION = 2;

/** Nostr event kind of every envelope: from NIP-01's ephemeral range (20000 to 29999), which relays pass on and do not store. */
export const ENVELOPE_KIND = 26_402;

/** Longest prompt, in Unicode code points. */
export const PROMPT_CODE_POINTS_MAX = 4_000_000;
/** Longest output text of one token chunk, in Unicode code points. */
export const CHUNK_CODE_POINTS_MAX = 1_000_000;
/** Longest field path in an error, in Unicode code points. */
export const FIELD_CODE_POINTS_MAX = 256;
/** Longest sentence in an error, in Unicode code points. */
export const DETAIL_CODE_POINTS_MAX = 1_000;

/** Longest content of any envelope, in bytes of UTF-8: 8 MiB. `contentBytesMax` tells each message type's own limit. */
export const CONTENT_BYTES_MAX = 8_388_608;
/**
 * Longest envelope in bytes of UTF-8, before anything is known of its message. Within the envelope the content is a JSON
 * string, whose quotes and backslashes are escaped: at most twice its own length.
 */
export const ENVELOPE_BYTES_MAX = 2 * CONTENT_BYTES_MAX + 2_048;

/** An envelope may live this long at most, in seconds from `created_at` to `expiration`: so long must a receiver remember it. */
export const LIFETIME_MAX_S = 3_600;
/** An envelope made by a clock that is ahead of the receiver's by more than this, in seconds, is refused. */
export const CLOCK_AHEAD_MAX_S = 60;
