import type { Command } from "commander";
import { newSecretKey, readKeyFile, writeKeyFile } from "../live/keys.ts";
import { encodePublicKey, publicKeyOf } from "../protocol/keys.ts";
import { filePath } from "./options.ts";

interface KeygenFlags {
  readonly out: string;
  readonly show?: string;
}

/** `infernet keygen`: a key for a router, node or client. */
export const registerKeygen = (program: Command): void => {
  program.command("keygen")
    .summary("makes the key by which a router, node or client is known")
    .description("Makes a secret key, writes it into a new file that you alone can read (mode 0600), and prints its public half, which others know you by.")
    .option("--out <file>", "where the secret key goes", filePath, "infernet.key")
    .option("--show <file>", "print the public half of the key in this file, and make none", filePath)
    .addHelpText("after", "\nExamples:\n  $ infernet keygen --out node.key\n  $ infernet keygen --show node.key\n")
    .action(({ out, show }: KeygenFlags) => {
      const key = show === undefined ? newSecretKey() : readKeyFile(show);
      if (show === undefined) writeKeyFile(out, key);
      process.stdout.write(`${encodePublicKey(publicKeyOf(key))}\n`);
      if (show === undefined) process.stderr.write(`The secret key is in ${out}. Whoever has it can act and be paid in your name: keep a copy, and keep it to yourself.\n`);
    });
};
