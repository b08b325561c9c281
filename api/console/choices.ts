import type { ChangeForm } from '../../console/person/change-page';
import type { GroupRules, PasswordRules } from '../../model/api/password-rules';
import { HttpProblem } from '../http/problem';
import type { PageApi } from './call';

export type Choices = Pick<ChangeForm, 'choices' | 'chosen'>;

/**
 * The groups by auth source, and the ones that the person has chosen; the first ones by default.
 * @param sources the sources in which the person has an account; null while the person is not known
 */
export async function choicesFor(
  api: PageApi,
  wanted: string,
  sources: readonly string[] | null = null,
): Promise<Choices> {
  const { groups } = await api.get<PasswordRules>('/v1/password-rules');
  const byAuth = new Map<string, GroupRules[]>();
  for (const group of groups)
    byAuth.set(group.authSource, [...(byAuth.get(group.authSource) ?? []), group]);
  const all = [...byAuth.values()];
  const own = all.filter((some) =>
    some.some((group) => group.sources.some(({ source }) => sources?.includes(source) ?? true)),
  );
  const choices = own.length > 0 ? own : all;
  const chosen = choices.find((some) => some.some(({ name }) => name === wanted)) ?? choices[0];
  if (chosen === undefined) throw new HttpProblem('no_group');
  return { choices, chosen };
}
