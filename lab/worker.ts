import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { JobResult, SeatedJob } from "./job.ts";
import { V8_FLAGS } from "./v8-flags.ts";

enableCompileCache();
// `infernet` has set them already; here for those who use the lab as a library.
for (const flag of V8_FLAGS) setFlagsFromString(flag);

/** What a worker thread does with a job. What plays it is loaded with the first one. */
export default async function work(seated: SeatedJob): Promise<JobResult<unknown>> {
  const { playJob } = await import("./play-job.ts");
  return playJob(seated);
}
