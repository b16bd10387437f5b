/** The process that holds the model. Its parent is `LlamaRunner`; it ends with it. */
import { BatchLoop } from "./batch-loop.ts";
import { loadModel } from "./load.ts";
import type { FromChild, ToChild } from "./messages.ts";

const send = (message: FromChild): void => {
  process.send?.(message);
};

let loop: BatchLoop | null = null;

const onMessage = async (message: ToChild): Promise<void> => {
  switch (message.kind) {
    case "load": {
      const { settings } = message;
      try {
        const { model, facts } = await loadModel(settings);
        loop = new BatchLoop(model, { ...settings, tell: (events) => send({ kind: "events", events }), fault: (words) => void process.stderr.write(`a step failed: ${words}\n`) });
        send({ kind: "loaded", facts });
      } catch (error) {
        send({ kind: "not-loaded", message: error instanceof Error ? error.message : String(error) });
      }
      return;
    }
    case "run": return loop!.run(message.job);
    case "cancel": return loop!.cancel(message.ref);
    case "watch": return loop!.watch(message.ref, message.outputTokens);
    case "measure": {
      const { id, what } = message;
      try {
        send({ kind: "measured", id, steps: await loop!.measure(what) });
      } catch (error) {
        send({ kind: "not-measured", id, message: error instanceof Error ? error.message : String(error) });
      }
    }
  }
};

process.on("message", (message) => void onMessage(message as ToChild));
// Whoever started it is gone. llama.cpp may be in the middle of a step on another thread: no farewell can be had from it.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// Ctrl-C goes to the whole group; it is the parent's to say when jobs have been finished.
process.on("SIGINT", () => {});
