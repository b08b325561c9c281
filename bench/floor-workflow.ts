/** The workflow of `floor.ts`: it does nothing. */
export async function empty(): Promise<void> {}
