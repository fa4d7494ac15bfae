// What holds just after each character of a piece of Python source has been read.
// lstm_lab.models.probes computes the same with Python's own tokenize; a test keeps the two equal.
// This one also takes what is no valid Python: a text that is being written.

export const PROPERTIES = {
  column: "place in the line",
  indentation: "indentation",
  brackets: "open brackets",
  string: "inside a string",
  triple: "inside triple quotes",
  comment: "inside a comment",
};

/**
 * The properties of a text, or of a list of characters: each an array (T) of counts, or of 1 and 0.
 */
export function scan(text) {
  const stands = (mark, at) => Array.prototype.every.call(mark, (c, k) => text[at + k] === c);
  const T = text.length,
    out = {};
  for (const name in PROPERTIES) out[name] = new Uint16Array(T);
  let column = 0,
    indent = 0,
    leading = true,
    depth = 0;
  // The mark that would close the string that is open, and from where on it may.
  let mark = "",
    from = 0,
    escaped = false,
    comment = false;
  for (let k = 0; k < T; k++) {
    const ch = text[k];
    column = ch === "\n" ? 0 : column + 1;
    leading = column === 0 || (leading && ch === " ");
    indent = leading ? column : indent;
    if (mark) {
      if (escaped) escaped = false;
      else if (ch === "\\") escaped = true;
      else if (k >= from && stands(mark, k - mark.length + 1)) mark = "";
      else if (ch === "\n" && mark.length === 1) mark = "";
    } else if (comment) {
      comment = ch !== "\n";
    } else if (ch === "#") {
      comment = true;
    } else if (ch === "'" || ch === '"') {
      mark = stands(ch.repeat(3), k) ? ch.repeat(3) : ch;
      from = k + 2 * mark.length - 1;
    } else if ("([{".includes(ch)) {
      depth++;
    } else if (")]}".includes(ch)) {
      depth = Math.max(0, depth - 1);
    }
    out.column[k] = column;
    out.indentation[k] = indent;
    out.brackets[k] = depth;
    out.string[k] = mark ? 1 : 0;
    out.triple[k] = mark.length === 3 && k >= from - 3 ? 1 : 0;
    out.comment[k] = comment ? 1 : 0;
  }
  return out;
}
