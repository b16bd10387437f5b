/**
 * Lint rules for what ESLint's stock rules cannot say about determinism; loaded by .oxlintrc.json.
 * The node shapes are ESTree's, cut down to what is read here.
 */
interface Node {
  readonly type: string;
  readonly parent?: Node;
  readonly [key: string]: unknown;
}
interface Context {
  report(problem: { node: Node; message: string }): void;
}
type Visitor = Record<string, (node: Node) => void>;
interface Rule {
  create(context: Context): Visitor;
}

const child = (node: Node, key: string): Node => node[key] as Node;

const isNamed = (node: Node | undefined, name: string): boolean => node?.type === "Identifier" && node["name"] === name;

/** `name` of `f(...)`, `o.f(...)` and `o?.f(...)`; "" where the callee is anything else. */
const calledName = (call: Node): string => {
  const callee = child(call, "callee");
  if (callee.type === "Identifier") return callee["name"] as string;
  if (callee.type !== "MemberExpression" || callee["computed"] === true) return "";
  return child(callee, "property")["name"] as string;
};

/** An exponent that is plainly an integer: a literal, or of type bigint. */
const isIntegerExponent = (node: Node): boolean => {
  if (node.type === "CallExpression") return isNamed(child(node, "callee"), "BigInt");
  if (node.type === "UnaryExpression") return node["operator"] === "-" && isIntegerExponent(child(node, "argument"));
  return node.type === "Literal" && (Number.isInteger(node["value"]) || typeof node["value"] === "bigint");
};

const rounding: ReadonlySet<string> = new Set(["floor", "ceil", "round", "trunc"]);

/** An exponent made of names, integers, sums, extremes and roundings: taken for whole where the base is 2, whose whole powers are exact. */
const looksWhole = (node: Node): boolean => {
  if (node.type === "Identifier" || node.type === "MemberExpression" || isIntegerExponent(node)) return true;
  if (node.type === "CallExpression" && isNamed(child(child(node, "callee"), "object"), "Math")) {
    const name = calledName(node);
    return rounding.has(name) || (["max", "min"].includes(name) && (node["arguments"] as readonly Node[]).every(looksWhole));
  }
  if (node.type !== "BinaryExpression" || !["+", "-"].includes(node["operator"] as string)) return false;
  return looksWhole(child(node, "left")) && looksWhole(child(node, "right"));
};

/** Powers with a fractional exponent differ in the last bit between V8 versions; exp and log do not. */
const noInexactPower: Rule = {
  create: (context) => {
    const check = (node: Node): void => {
      const exponent = child(node, "right");
      if (isIntegerExponent(exponent) || (child(node, "left")["value"] === 2 && looksWhole(exponent))) return;
      const message = "`**` is reproducible only with an integer literal as its exponent; write Math.exp(k * Math.log(x)).";
      context.report({ node, message });
    };
    return {
      BinaryExpression: (node) => {
        if (node["operator"] === "**") check(node);
      },
      AssignmentExpression: (node) => {
        if (node["operator"] === "**=") check(node);
      },
    };
  },
};

/** An alias (`const m = Math`, `globalThis["Date"]`) would carry forbidden things past every other rule. */
const noAliasedGlobal: Rule = {
  create: (context) => ({
    Identifier: (node) => {
      const parent = node.parent;
      if (parent === undefined) return;
      if (isNamed(node, "Math")) {
        const aliases =
          (parent.type === "VariableDeclarator" && parent["init"] === node && child(parent, "id").type === "Identifier") ||
          (parent.type === "AssignmentExpression" && parent["right"] === node) ||
          (parent.type === "CallExpression" && (parent["arguments"] as readonly Node[]).includes(node)) ||
          parent.type === "SpreadElement" ||
          (parent.type === "MemberExpression" && parent["object"] === node && parent["computed"] === true);
        if (aliases) context.report({ node, message: "Use Math's functions by name, so that Math.random and Math.pow cannot hide." });
      }
    },
  }),
};

/** The order in which a file system lists names is its own affair. */
const sortedListing: Rule = {
  create: (context) => ({
    CallExpression: (node) => {
      const name = calledName(node);
      if (name !== "readdirSync" && name !== "globSync") return;
      const member = node.parent;
      const sorted = member?.type === "MemberExpression" && member["object"] === node && (isNamed(child(member, "property"), "sort") || isNamed(child(member, "property"), "toSorted"));
      if (!sorted) context.report({ node, message: `${name}() gives names in no fixed order: append .sort() at once.` });
    },
  }),
};

/** BIP-340 signing draws fresh randomness unless its auxiliary bytes are given. */
const explicitAuxiliaryBytes: Rule = {
  create: (context) => ({
    CallExpression: (node) => {
      const callee = child(node, "callee");
      if (callee.type !== "MemberExpression" || !isNamed(child(callee, "object"), "schnorr") || calledName(node) !== "sign") return;
      if ((node["arguments"] as readonly Node[]).length >= 3) return;
      context.report({ node, message: "schnorr.sign() draws random auxiliary bytes: pass them as its third argument." });
    },
  }),
};

const plugin = {
  meta: { name: "determinism" },
  rules: {
    "no-inexact-power": noInexactPower,
    "no-aliased-global": noAliasedGlobal,
    "sorted-listing": sortedListing,
    "explicit-auxiliary-bytes": explicitAuxiliaryBytes,
  },
};
export default plugin;
