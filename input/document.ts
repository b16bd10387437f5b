import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import type { Document, Node, Pair } from "yaml";
import type { PathPart } from "./path-part.ts";
import type { Problem } from "./problem.ts";
import { alternatives, describeValue } from "./units.ts";

/** Larger files are refused before they are parsed, characters. */
const maxCharacters = 4_000_000;
/** Expansions of YAML aliases allowed: enough for honest reuse, too few for an alias bomb. */
const maxAliases = 1_000;
/** Maps and lists inside each other. */
const maxDepth = 60;

/** What a file is about, for messages on files that are nothing of the kind. */
export interface DocumentKind {
  /** Such as "scenario". */
  readonly noun: string;
  /** Keys at the top that every such file has, at least one. */
  readonly keys: readonly string[];
}

/** A YAML text, and where in it things stand. */
export class SourceDocument {
  readonly file: string;
  readonly text: string;
  /** The content as plain values. */
  readonly value: unknown;
  /** What keeps the text from being read; `value` is undefined then. */
  readonly problems: readonly Problem[];
  readonly #lines = new LineCounter();
  readonly #document: Document | null;
  readonly #kind: DocumentKind | null;

  /** @param source bytes are read as UTF-8. @param kind left out: any map. */
  constructor(source: string | Uint8Array, file: string, kind: DocumentKind | null = null) {
    this.file = file;
    this.#kind = kind;
    const decoded = decode(source);
    this.text = typeof decoded === "string" ? decoded : "";
    let problems = typeof decoded === "string" ? unreadable(decoded).map((fault) => this.#problem(fault.offset, fault.found, fault.allowed)) : [this.#problem(0, decoded.found, decoded.allowed)];
    let document: Document | null = null;
    let value: unknown;
    if (problems.length === 0) {
      [document, problems] = this.#parse();
      if (problems.length === 0 && document !== null) {
        try {
          value = unshared(document.toJS({ maxAliasCount: maxAliases }), 0);
        } catch {
          problems = [this.#problem(0, "aliases that unfold into too much", `at most ${maxAliases} expansions of aliases (*name), none inside its own anchor`)];
        }
      }
    }
    this.#document = document;
    this.problems = problems;
    this.value = value;
  }

  #parse(): [Document | null, Problem[]] {
    const documents = parseAllDocuments(this.text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true, version: "1.2" });
    if (!Array.isArray(documents) || documents.length === 0) return [null, [this.#problem(0, "an empty file", this.#wanted())]];
    const document = documents[0]!;
    const problems: Problem[] = [];
    // The first error only: what the parser says after it is mostly its consequence.
    for (const error of document.errors.slice(0, 1)) {
      const { found, allowed } = yamlFault(error.code, error.message);
      problems.push(this.#problem(error.pos[0], found, allowed));
    }
    if (problems.length > 0) return [document as Document, problems];
    for (const warning of document.warnings) problems.push(this.#problem(warning.pos[0], `a tag that means nothing here (${warning.message})`, "values without tags"));
    if (documents.length > 1) problems.push(this.#problem(documents[1]!.range?.[0] ?? 0, "a second document (after ---)", `one ${this.#kind?.noun ?? "document"} per file`));
    if (problems.length === 0 && (document.contents === null || (isScalar(document.contents) && document.contents.value === null))) {
      problems.push(this.#problem(0, "an empty file", this.#wanted()));
    }
    if (problems.length === 0) {
      const tooDeep = depthFault(document.contents as Node, 0);
      if (tooDeep !== null) problems.push(this.#problem(tooDeep, `more than ${maxDepth} maps and lists inside each other`, `at most ${maxDepth}`));
    }
    visit(document as Document, {
      Alias: (_, alias) => {
        if (alias.resolve(document as Document) === undefined) problems.push(this.#problem(alias.range?.[0] ?? 0, `*${alias.source}, an alias without an anchor before it`, `an anchor &${alias.source} further up`));
      },
    });
    if (problems.length === 0 && !isMap(document.contents)) {
      const first = document.contents as Node;
      problems.push(this.#problem(first.range![0], isSeq(first) ? "a list" : describeValue((first as { value?: unknown }).value), this.#kind === null ? "a map" : `a map with keys such as ${this.#keys()}`));
    }
    return [document as Document, problems];
  }

  #wanted(): string {
    return this.#kind === null ? "a map" : `a ${this.#kind.noun}: a map with at least ${this.#keys()}`;
  }

  #keys(): string {
    return alternatives(this.#kind?.keys ?? []).replace(" or ", " and ");
  }

  #problem(offset: number, found: string, allowed: string): Problem {
    return { file: this.file, ...this.#position(offset), path: "", found, allowed };
  }

  #position(offset: number): { line: number; column: number } {
    if (this.#lines.lineStarts.length === 0) return { line: 1, column: 1 };
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /**
   * Where the value at this path stands, or its key. For what is not there: the nearest key above it.
   * `depth` is how many parts of the path are there.
   */
  locate(path: readonly PathPart[], atKey: boolean): { line: number; column: number; depth: number } {
    let node: unknown = this.#document?.contents;
    let offset = isMap(node) ? node.range![0] : 0;
    for (let depth = 0; depth < path.length; depth++) {
      const part = path[depth]!;
      if (isAlias(node)) node = node.resolve(this.#document!);
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find((item) => keyText(item.key) === String(part));
        if (pair === undefined) return { ...this.#position(offset), depth };
        offset = (pair.key as Node).range![0];
        const last = depth === path.length - 1;
        const value = pair.value as Node | null;
        if (last && !atKey && value?.range != null && this.#isShort(value)) offset = value.range[0];
        node = value;
      } else if (isSeq(node)) {
        const item = node.items[Number(part)] as Node | undefined;
        if (item === undefined) return { ...this.#position(offset), depth };
        if (item.range != null) offset = item.range[0];
        node = item;
      } else {
        return { ...this.#position(offset), depth };
      }
    }
    return { ...this.#position(offset), depth: path.length };
  }

  /** A value worth pointing at; block maps and lists start lines below their key. */
  #isShort(node: Node): boolean {
    return isScalar(node) ? node.range![0] !== node.range![1] : isAlias(node) || (node as { flow?: boolean }).flow === true;
  }
}

/** A copy in which no two places are the same object: a change in one is none in the other. @throws RangeError for a cycle. */
function unshared(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw new RangeError("too deep");
  if (Array.isArray(value)) return value.map((item) => unshared(item, depth + 1));
  if (value === null || typeof value !== "object") return value;
  const copy = {};
  for (const [key, item] of Object.entries(value)) Object.defineProperty(copy, key, { value: unshared(item, depth + 1), writable: true, enumerable: true, configurable: true });
  return copy;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function decode(source: string | Uint8Array): string | { found: string; allowed: string } {
  if (typeof source === "string") return source;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    return { found: "bytes that are no UTF-8 text", allowed: "a YAML file in UTF-8" };
  }
}

function unreadable(text: string): { offset: number; found: string; allowed: string }[] {
  if (text.length > maxCharacters) return [{ offset: 0, found: `a file of ${text.length} characters`, allowed: `at most ${maxCharacters}` }];
  const binary = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  return binary === null ? [] : [{ offset: 0, found: "binary data", allowed: "a YAML file in UTF-8" }];
}

/** The parser's words, said as what was found and what is allowed. */
function yamlFault(code: string, message: string): { found: string; allowed: string } {
  const brief = message.split("\n")[0]!;
  switch (code) {
    case "DUPLICATE_KEY": return { found: "a key that this map has already", allowed: "each key once" };
    case "TAB_AS_INDENT": return { found: "a tab in the indentation", allowed: "spaces" };
    default:
      // The parser recurses: thousands of open brackets exhaust its stack, which it reports as a fault of the text.
      if (brief.includes("call stack")) return { found: "maps and lists too deep inside each other", allowed: `at most ${maxDepth}` };
      return { found: `something that is no YAML (${brief})`, allowed: "YAML 1.2" };
  }
}

function depthFault(node: Node | null, depth: number): number | null {
  if (node === null) return null;
  if (depth > maxDepth) return node.range?.[0] ?? 0;
  const children: readonly unknown[] = isMap(node) ? node.items.map((item) => item.value) : isSeq(node) ? node.items : [];
  for (const child of children) {
    const fault = depthFault(child as Node | null, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}
