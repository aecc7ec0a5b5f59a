// The colours of a weir program: its tokens, by the rules of the language's lexer, and what kind each of them is.

const KEYWORDS = new Set(
  ("weir parser version ocsf with product by input on error required optional table raw keep drop hash redact reject " +
    "skip let event emit add each as max test given expect exactly dropped rejected invalid when if then else match " +
    "and or not in is starts_with ends_with contains matches present missing true false").split(" "),
);
const TOKEN = new RegExp(
  [
    "(?<comment>#[^\\n]*)",
    '(?<string>"""[^]*?(?:"""|$)|r?"(?:[^"\\\\\\n]|\\\\.)*"?)',
    "(?<number>\\d[\\d_]*(?:\\.\\d+)?(?:KiB|MiB|GiB|ms|s|m|h|d)?\\b)",
    "(?<path>\\.(?=[A-Za-z_])[A-Za-z_]\\w*)",
    "(?<word>[A-Za-z_]\\w*)",
    "(?<operator>\\|>|\\?\\?|=>|[=!<>]=|[=<>*/+|$-])",
    "(?<rest>\\s+|[^])",
  ].join("|"),
  "gy",
);

/** The tokens of a program as `[class, text]`; together they are the program. */
export function* tokens(text) {
  let isPiped = false;
  /** The kind of the name or path right before: `.b` in `a.b` is of its kind. */
  let before;
  for (const match of text.matchAll(TOKEN)) {
    const [piece] = match;
    const { comment, string, number, path, word, operator } = match.groups;
    let kind = null;
    if (comment) kind = "comment";
    else if (string) kind = "string";
    else if (number) kind = "number";
    else if (path) kind = before === undefined ? "path" : before;
    else if (operator) kind = "operator";
    else if (word) kind = isPiped ? "function" : KEYWORDS.has(word) ? "keyword" : null;
    before = path || word ? kind : undefined;
    if (piece.trim() !== "") isPiped = operator === "|>";
    yield [kind, piece];
  }
}

/** The same by lines: for each line its `[class, text]`. */
export function lines(text) {
  const found = [[]];
  for (const [kind, piece] of tokens(text)) {
    const [first, ...others] = piece.split("\n");
    if (first) found.at(-1).push([kind, first]);
    for (const other of others) found.push(other ? [[kind, other]] : []);
  }
  return found;
}
