import { parse } from "es-module-lexer/js";

/** What a module's own names are replaced by: the object that takes its default export. */
export const EXPORTS = "_$";

/** Something in the text that a policy must not have; `at` is its place, in characters from the start. */
export class ModuleTextError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/**
 * The body of a function that does what the module does, and puts its default export where {@link EXPORTS} says. Everything
 * stays at its line and column.
 * @param code an ES module without types. Whatever it imports is refused: a policy is one file, so that its hash tells all of it.
 * @throws ModuleTextError for imports, re-exports, and a default export that is missing.
 */
export function functionBodyOf(code: string): string {
  const [imports, exports] = parse(code);
  const wrong = imports.find(({ importStart }) => code.startsWith("import", importStart));
  if (wrong !== undefined) throw new ModuleTextError(wrong.importStart, wrong.type === "import-meta" ? "import.meta" : `an import (${code.slice(wrong.importStart, wrong.importEnd).split("\n")[0]!.slice(0, 60)})`);
  let body = code;
  let tail = "";
  let found = false;
  const blank = (from: number, to: number, text = ""): void => {
    body = body.slice(0, from) + text + code.slice(from + text.length, to).replace(/[^\n\r]/g, " ") + body.slice(to);
  };
  for (const one of exports) {
    if (one.type !== "direct") throw new ModuleTextError(one.exportStart, "an export from another file");
    const { exportStart: from, name, localName } = one;
    const isDefault = name === "default";
    if (isDefault) found = true;
    if (/^export[ \t]+default$/.test(code.slice(from, one.end))) {
      // A declaration stays one, so that what comes after it is not taken for its continuation.
      const declares = localName !== undefined && /^\s*(?:async\s+)?(?:function|class)\b/.test(code.slice(one.end));
      blank(from, one.end, declares ? "" : `${EXPORTS}.default=`);
      if (declares) tail += `\n${EXPORTS}.default=${localName};`;
    } else if (/^export\s*\{/.test(code.slice(from))) {
      blank(from, code.indexOf("}", from) + 1);
      if (isDefault) tail += `\n${EXPORTS}.default=${localName};`;
    } else if (/^export\s+(?:const|let|var|function|async|class)\b/.test(code.slice(from))) {
      blank(from, from + "export".length);
    } else {
      throw new ModuleTextError(from, "an export in a form that policies do not have");
    }
  }
  if (!found) throw new ModuleTextError(0, "no default export");
  return body + tail;
}
