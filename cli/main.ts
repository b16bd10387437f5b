#!/usr/bin/env node
// No static imports: on a Node that is too old, this file must still be able to say so.
const needed: readonly [number, number] = [22, 12];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(`infernet: needs Node.js ${needed.join(".")} or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  // Compiled code is kept between calls, in the system's folder for temporary files: starting takes half the time.
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  // V8 takes the jobs in flight, which outlive its first small collections, for a sign that all jobs live long, and makes
  // them in its old generation. There the dead keep the living alive: twice the memory, a sixth more time.
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--no-allocation-site-pretenuring");
  // What happens in a market goes through many small functions: with twice V8's room for putting them into each other it
  // takes 8 % fewer instructions.
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=2000");
  const { main } = await import("./program.ts");
  process.exitCode = await main(process.argv.slice(2));
}

export {};
