/**
 * The data of each event named `change` in a stream of server-sent events.
 * @param onData called whenever data arrives, heartbeats included
 */
export async function* eventData(
  body: ReadableStream<Uint8Array>,
  onData: () => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    onData();
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      if (lines.includes('event: change')) yield dataOf(lines);
    }
  }
}

const DATA = 'data: ';

const dataOf = (lines: readonly string[]): string =>
  lines
    .filter((line) => line.startsWith(DATA))
    .map((line) => line.slice(DATA.length))
    .join('\n');
