import { z } from "zod";

/** Highest integer that a double holds exactly along with all below it: 2^53 - 1. */
const SAFE_MAX = Number.MAX_SAFE_INTEGER;
/** Highest count of things that take room at a node: 2^31 - 1, so that counts fit an Int32Array. */
const INT32_MAX = 2 ** 31 - 1;

/** 32 bytes as 64 lower-case hexadecimal digits: public keys, hashes, preimages. */
export const hex32 = z.string().regex(/^[0-9a-f]{64}$/).meta({ id: "Hex32", description: "32 bytes as 64 lower-case hexadecimal digits" });

/** A peer is known by its x-only secp256k1 public key (BIP-340), in hexadecimal. */
export const peerId = hex32.meta({ id: "PeerId", description: "a peer's x-only secp256k1 public key (BIP-340)" });
export type PeerId = string;

/** A job's name, unique for its client; chosen by the client. */
export const jobId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/).meta({ id: "JobId", description: "a job's name, unique for its client, which chooses it" });
export type JobId = string;

/** A model's name, such as `llama-3.1-8b:q4_k_m`. */
export const modelName = z.string().regex(/^[A-Za-z0-9._:/-]{1,128}$/).meta({ id: "ModelName", description: "a model with its quantisation, such as llama-3.1-8b:q4_k_m" });

/** A region of the network, such as `eu`; latencies between regions are the environment's business. */
export const region = z.string().regex(/^[a-z0-9-]{1,32}$/).meta({ id: "Region", description: "a region of the network, such as eu" });

/** Tokens, 0 to 2^31 - 1. */
export const tokens = z.int().min(0).max(INT32_MAX).meta({ id: "Tokens", description: "tokens" });

/** Millisatoshi, 0 to 2^53 - 1: exact in a double. */
export const msat = z.int().min(0).max(SAFE_MAX).meta({ id: "Msat", description: "millisatoshi" });

/** A duration in microseconds, 0 to 2^53 - 1 (285 years). */
export const durationUs = z.int().min(0).max(SAFE_MAX).meta({ id: "DurationUs", description: "a duration in microseconds" });

/** A number of jobs, slots or restarts, 0 to 2^31 - 1. */
export const count = z.int().min(0).max(INT32_MAX).meta({ id: "Count", description: "a count" });

/** A number that only grows, 0 to 2^53 - 1. */
export const sequenceNumber = z.int().min(0).max(SAFE_MAX).meta({ id: "SequenceNumber", description: "a number that only grows" });

/** Which try at a job this is: 1 for the first node it is awarded to, 2 for the next, up to 1,000. */
export const attempt = z.int().min(1).max(1_000).meta({ id: "Attempt", description: "which try at a job this is, from 1" });
