import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { JobResult, SeatedJob } from "./job.ts";

enableCompileCache();
// As in cli/main.ts, which says why; here for those who use the lab as a library. V8 has one set of flags per process.
setFlagsFromString("--no-allocation-site-pretenuring");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=2000");

/** What a worker thread does with a job. What plays it is loaded with the first one. */
export default async function work(seated: SeatedJob): Promise<JobResult<unknown>> {
  const { playJob } = await import("./play-job.ts");
  return playJob(seated);
}
