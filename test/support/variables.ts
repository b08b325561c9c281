/**
 * Sets environment variables. `config.ts` reads them when it is loaded, so load it after that with
 * `jest.isolateModules`.
 * @returns what puts the environment back
 */
export function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  return () => {
    for (const name of Object.keys(variables)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
}
