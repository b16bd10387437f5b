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
  const { setFlagsFromString } = await import("node:v8");
  const { V8_FLAGS } = await import("../lab/v8-flags.ts");
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  const { main } = await import("./program.ts");
  process.exitCode = await main(process.argv.slice(2));
}

export {};
