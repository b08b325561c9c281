/** Which seeds the simulator runs: `LOCKSTEP_SEEDS` is their number and `LOCKSTEP_FIRST_SEED` the first one. */
export const wantedSeeds = {
  first: Number(process.env.LOCKSTEP_FIRST_SEED ?? 1),
  count: Number(process.env.LOCKSTEP_SEEDS ?? 40),
};
