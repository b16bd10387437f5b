import fc from "fast-check";
import { getEventHash } from "nostr-tools/pure";
import { describe, expect, test } from "vitest";
import { eventId, nostrEvent, serializeEvent } from "./event.ts";
import type { NostrEvent } from "./event.ts";
import { verifySignature } from "./signer.ts";

const pubkey = "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d";

/** Events that other people's software made and published. Their ids and signatures prove that they are unchanged. */
const published: Record<string, NostrEvent> = {
  "the note of January 2023 that introductions to Nostr quote": {
    id: "4376c65d2f232afbe9b882a35baa4f6fe8667c4e684749af565f981833ed6a65",
    pubkey: "6e468422dfb74a5738702a8823b9b28168abab8655faacb6853cd0ee15deee93",
    created_at: 1673347337,
    kind: 1,
    tags: [
      ["e", "3da979448d9ba263864c4d6f14984c423a3838364ec255f03c7904b1ae77f206"],
      ["p", "bf2376e17ba4ec269d10fcc996a4746b451152be9031fa48e74553dde5526bce"],
    ],
    content: "Walled gardens became prisons, and nostr is the first step towards tearing down the prison walls.",
    sig: "908a15e46fb4d8675bab026fc230a0e3542bfade63da02d542fb78b2a8513fcd0092619a2c8c1221e581946e0191f2af505dfdf8657a414dbca329186f009262",
  },
  "a note of May 2023 with line breaks and characters beyond the basic plane": {
    id: "cd720b23163210ebddec88bc4e74d83c9667cdf11b95d376865315c686ed34eb",
    pubkey: "11d0b66747887ba9a6d34b23eb31287374b45b1a1b161eac54cb183c53e00ef7",
    created_at: 1684947090,
    kind: 1,
    tags: [
      ["e", "f9f30e37adffe3afe12fda2f8db4502ece334f261273a9a0be7e8adb29b35145"],
      ["p", "9eefd04d32ab5da8de12d7b83201578ea095a676acf3a692ec1b0b202ae4e16f"],
    ],
    content: "I'll take a large lill\u00f6rdag please.\n\n\ud83d\ude0e\ud83e\udd19\ud83d\udc47\ud83c\udf7b\n\nnostr:nevent1qqs0nucwx7kllca0uyha5tudk3gzan3nfunpyuaf5zl8azkm9xe4z3gpzamhxue69uhhyetvv9ujumn0wd68ytnzv9hxgtczyz0wl5zdx244m2x7zttmsvsp2782p9dxw6k08f5jasdskgp2unsk7qcyqqqqqqgncdx20",
    sig: "6c66e42dd481a0769148be33932a643672710f0ed83eeaaf4af5fe0f53e52b810a924ba2498354b8b00a54f065f4de0d92c42c70fdb39a2da67ac97baf4f9ae0",
  },
};

describe("NIP-01", () => {
  test("the serialisation has no white space, escapes seven characters, and leaves all others as they are", () => {
    const event = { pubkey, created_at: 1_700_000_000, kind: 1, tags: [["p", pubkey], ["alt", 'a "b"']], content: "\n\"\\\r\t\b\f é😀/\u2028\u007f" };
    expect(serializeEvent(event)).toBe(`[0,"${pubkey}",1700000000,1,[["p","${pubkey}"],["alt","a \\"b\\""]],"\\n\\"\\\\\\r\\t\\b\\f é😀/\u2028\u007f"]`);
  });

  for (const [source, event] of Object.entries(published)) {
    test(`id and signature of a published event: ${source}`, () => {
      expect(eventId(event)).toBe(event.id);
      expect(verifySignature(event.sig, event.id, event.pubkey)).toBe(true);
      expect(eventId({ ...event, content: `${event.content} ` })).not.toBe(event.id);
    });
  }

  test("ids equal those of nostr-tools, for any tags and content", () => {
    fc.assert(fc.property(fc.nat(2_000_000_000), fc.nat(65_535), fc.array(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 3 }), { maxLength: 4 }), fc.string({ unit: "binary" }), (created_at, kind, tags, content) => {
      const event = { pubkey, created_at, kind, tags, content };
      expect(eventId(event)).toBe(getEventHash(event));
    }), { seed: 1, numRuns: 150 });
  });

  test("an event with a raw control character, which implementations hash differently, is no envelope", () => {
    const event = published["the note of January 2023 that introductions to Nostr quote"]!;
    expect(nostrEvent.safeParse(event).success).toBe(true);
    expect(nostrEvent.safeParse({ ...event, content: "a\u0001b" }).success).toBe(false);
    expect(nostrEvent.safeParse({ ...event, tags: [["alt", "a\u0001b"]] }).success).toBe(false);
  });
});
