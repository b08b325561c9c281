import type { Finding } from '../contract';

export const ok = (check: string, says: string): Finding => ({ check, verdict: 'ok', says });

export const warning = (check: string, says: string): Finding => ({
  check,
  verdict: 'warning',
  says,
});

export const wrong = (check: string, says: string): Finding => ({ check, verdict: 'wrong', says });
