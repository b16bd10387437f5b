import type { Message } from "../../../protocol/messages.ts";
import type { Seen } from "./play.ts";
import { must } from "./violation.ts";

/** A message's way, µs: said, signed and gone, arrived, verified and heard. */
export interface Delivery {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
  readonly saidUs: number;
  readonly departUs: number;
  readonly arrivalUs: number;
  /** -1 where the receiver was down or the run ended before. */
  heardUs: number;
}

/**
 * Every message's way, in the order of saying.
 * @throws Violation where something is heard before it has arrived, or was never said, or out of its pair's order.
 */
export function deliveries(seen: readonly Seen[]): Delivery[] {
  const all: Delivery[] = [];
  const lines = new Map<string, Delivery[]>();
  for (const entry of seen) {
    if (entry.kind === "post") {
      const { atUs, departUs, arrivalUs, message } = entry;
      must(departUs >= atUs && arrivalUs >= departUs, () => `a ${message.type} said at ${atUs} us leaves at ${departUs} us and arrives at ${arrivalUs} us`);
      const delivery = { from: entry.peer, to: entry.to, message, saidUs: atUs, departUs, arrivalUs, heardUs: -1 };
      all.push(delivery);
      const pair = `${entry.peer} ${entry.to}`;
      const line = lines.get(pair);
      if (line === undefined) lines.set(pair, [delivery]);
      else line.push(delivery);
    } else if (entry.kind === "deliver") {
      const line = lines.get(`${entry.sender} ${entry.peer}`) ?? [];
      // What was said before to one who was down is lost.
      const place = line.findIndex(({ message }) => message === entry.message);
      must(place >= 0, () => `a ${entry.message.type} is heard at ${entry.atUs} us that was never said, or was overtaken by what was said later`);
      must(line[place]!.arrivalUs <= entry.atUs, () => `a ${entry.message.type} is heard at ${entry.atUs} us and arrives at ${line[place]!.arrivalUs} us`);
      line[place]!.heardUs = entry.atUs;
      line.splice(0, place + 1);
    }
  }
  return all;
}
