import { afterEach } from "vitest";
import { startHub, startUplink } from "./peers.ts";

/** What a test has started: stopped after it, the last first. */
export const toStop: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

/** As {@link startHub}, until the test is over. */
export const hubUp = async (...args: Parameters<typeof startHub>): ReturnType<typeof startHub> => {
  const up = await startHub(...args);
  toStop.push(() => up.hub.stop());
  return up;
};

/** As {@link startUplink}, until the test is over. */
export const uplinkUp = async (...args: Parameters<typeof startUplink>): ReturnType<typeof startUplink> => {
  const up = await startUplink(...args);
  toStop.push(() => up.uplink.stop());
  return up;
};
