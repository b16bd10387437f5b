/** What a link takes from others before it says no. Times in ms. */
export interface LinkLimits {
  /** Connections at once, opening ones included. */
  readonly connections: number;
  /** How long a connection may take to prove whose it is. */
  readonly openingMs: number;
  /** Bytes that a connection may send before that. */
  readonly openingBytes: number;
  /** Envelopes per second that a connection may send, and bytes of them, over time. Who sends more is read more slowly. */
  readonly envelopesPerS: number;
  readonly bytesPerS: number;
  /** What it may send at once, in seconds of those rates. */
  readonly burstS: number;
  /** Bytes that wait to be sent to one connection. Who reads so slowly that there are more is cut off. */
  readonly bufferedBytes: number;
  /** The same for all connections together, with those of frames that have not come whole: the one with the most is cut off. */
  readonly bufferedBytesInAll: number;
  /** How long what waits may wait without any of it going out. */
  readonly stuckMs: number;
  /** A connection that is silent for so long is pinged, and cut off after as long again. */
  readonly silenceMs: number;
  /** How often these times are looked after. */
  readonly tickMs: number;
  /** For a peer whose connection went down, messages are kept for so long, so many of them, and so many bytes; and in all. */
  readonly awayMs: number;
  readonly awayMessages: number;
  readonly awayBytes: number;
  readonly awayBytesInAll: number;
  /** Envelopes that were no good, from one connection, before it is cut off; one is forgiven each second. */
  readonly strikes: number;
}

const MIB = 1_048_576;

export const DEFAULT_LIMITS: LinkLimits = {
  connections: 4_096,
  openingMs: 5_000,
  openingBytes: 8_192,
  envelopesPerS: 2_000,
  bytesPerS: 32 * MIB,
  burstS: 2,
  bufferedBytes: 40 * MIB,
  bufferedBytesInAll: 256 * MIB,
  stuckMs: 30_000,
  silenceMs: 15_000,
  tickMs: 1_000,
  awayMs: 15_000,
  awayMessages: 1_024,
  awayBytes: 20 * MIB,
  awayBytesInAll: 64 * MIB,
  strikes: 20,
};

/** How long an envelope is good for, s: clocks may differ by a minute. */
export const ENVELOPE_LIFETIME_S = 120;

/** Envelopes that are remembered of each sender. More than that in `ENVELOPE_LIFETIME_S`, and only the newest are taken. */
export const REMEMBERED_PER_SENDER = 16_384;

/** Envelopes that are remembered of all senders, some 170 bytes each; beyond it each sender has an even share, twice as many at most. */
export const REMEMBERED_IN_ALL = 524_288;

/** Why a connection was closed, as WebSocket close codes (4000 to 4999 are an application's own, RFC 6455, 7.4.2). */
export const CLOSE = {
  done: 1_000,
  goingAway: 1_001,
  tooBig: 1_009,
  tryLater: 1_013,
  openingRefused: 4_000,
  /** A newer connection of the same key has taken its place. */
  replaced: 4_001,
  /** Too many envelopes that were no good. */
  misbehaved: 4_002,
  /** It does not read what it is sent. */
  stuck: 4_003,
} as const;
