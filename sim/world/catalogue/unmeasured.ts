import { efficiencyOf } from "./efficiencies.ts";
import type { Efficiency } from "./efficiency.ts";
import type { Machine } from "./types.ts";

/**
 * Large matrix products of a prompt run at this share of the tensor cores' full rate: mean of A100 and H100, from the
 * prompt times in splitwise-sim (`efficiencies.ts`). What limits them is feeding the cores.
 */
export const fullRateShare = 0.565;
/** Where sums in FP32 halve the rate of the cores, feeding keeps up, and they come this near to the halved peak (`calibration/fit.ts`). */
export const wideSumsShareMax = 0.85;

/**
 * vLLM on a card that nobody has measured it on: the same shares for every card, none of them fitted to vLLM under load.
 * Bandwidth, KV cache and time per layer are those of llama.cpp's generic build (medians of measurements with another
 * engine on other cards); the arithmetic is limited by the cores' full rate or by their rate with FP32 sums, whichever
 * binds; reading hides behind computing, as the roofline has it.
 */
export function unmeasuredVllm(machine: Machine): Efficiency {
  const { build, bandwidth, family } = efficiencyOf("llama.cpp", "generic");
  const wide = machine.flopPerSWideSums ?? machine.flopPerS;
  return {
    engine: "vllm", family, bandwidth, compute: Math.min(fullRateShare * machine.flopPerS, wideSumsShareMax * wide) / wide,
    build: { ...build, name: "vLLM, never measured", overlap: 1 },
    basis: "assumed", from: "llama.cpp on other cards; prompt times of A100 and H100",
  };
}
