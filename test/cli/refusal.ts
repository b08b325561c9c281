import { Failure } from '../../cli/failure';

/** Everything that a refused command shows. @throws Error if it is not refused as a wrong file */
export function refusalOf(refused: () => unknown): string {
  try {
    refused();
  } catch (error) {
    if (error instanceof Failure && error.exit === 'usage')
      return [error.message, ...error.lines, JSON.stringify(error.json)].join('\n');
    throw error;
  }
  throw new Error('It was not refused');
}
