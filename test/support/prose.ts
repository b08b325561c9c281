import ts from 'typescript';

type Prose = readonly [line: number, text: string];

/**
 * The prose of a TypeScript file: its comments, and its string literals of more than one word, without `code` in
 * backticks. Comments on consecutive lines are one text.
 */
export function proseIn(code: string): Prose[] {
  const file = ts.createSourceFile('file.ts', code, ts.ScriptTarget.Latest, true);
  const literals: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (isText(node) || ts.isRegularExpressionLiteral(node)) literals.push(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const texts = literals
    .filter((node) => isText(node) && /\s/.test(node.getText()))
    .map((node): Prose => [lineOf(node.getStart()), node.getText()]);
  return [...texts, ...commentsIn(code, literals).map(([at, text]): Prose => [lineOf(at), text])]
    .map(([line, text]): Prose => [line, withoutCode(text)])
    .sort(([a], [b]) => a - b);
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node);

/** Comments, by their position: what looks like one inside a literal is skipped. */
function commentsIn(code: string, literals: readonly ts.Node[]): [at: number, text: string][] {
  let rest = code;
  for (const node of literals) {
    const [from, to] = [node.getStart(), node.getEnd()];
    rest = rest.slice(0, from) + 'x'.repeat(to - from) + rest.slice(to);
  }
  const comments = rest.matchAll(/\/\*.*?\*\/|\/\/[^\n]*(?:\n\s*\/\/[^\n]*)*/gs);
  return Array.from(comments, ({ index, 0: text }) => [
    index,
    text.replaceAll(/^\s*(\/\*\*?|\*|\/\/)/gm, ''),
  ]);
}

const withoutCode = (text: string): string =>
  text
    .replaceAll(/`[^`\n]*`/g, (code) => (text.startsWith('`') ? code : ''))
    .replaceAll(/\s+/g, ' ');
