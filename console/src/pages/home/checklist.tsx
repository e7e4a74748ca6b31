/** The way from a fresh installation to the first call. Each step ticks itself by what the gateway holds. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Card, Steps } from 'antd';
import type { ReactNode } from 'react';
import { call, type Page } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Found {
  /** A vendor that was connected here; null before. */
  readonly provider: string | null;
  /** A model of such a vendor. */
  readonly model: string | null;
  readonly grant: boolean;
  readonly key: boolean;
}

interface Named {
  readonly kind?: string;
  readonly deployments?: readonly { readonly provider: string }[];
}

async function look(signal: AbortSignal): Promise<Found> {
  const list = <T,>(path: string): Promise<Page<T>> => call<Page<T>>('GET', `/api/${path}?limit=200`, { signal });
  const [providers, models, grants, keys] = await Promise.all([
    list<Row<Named>>('providers'),
    list<Row<Named>>('models'),
    list<Row<{ readonly capability: string }>>('grants'),
    list<unknown>('keys'),
  ]);
  // The demo provider comes with the installation, so it does not count as a connected vendor.
  const own = new Set(providers.data.filter(({ spec }) => spec.kind !== 'demo').map(({ name }) => name));
  const offered = models.data.filter(({ spec }) => spec.deployments?.some(({ provider }) => own.has(provider)) === true);
  const covers = (capability: string, model: string): boolean =>
    capability.endsWith('*') ? `model/${model}`.startsWith(capability.slice(0, -1)) : capability === `model/${model}`;
  return {
    provider: [...own][0] ?? null,
    model: offered[0]?.name ?? null,
    grant: grants.data.some(({ spec }) => offered.some(({ name }) => covers(spec.capability, name))),
    key: keys.data.length > 0,
  };
}

export function Checklist({ hasCalls }: { readonly hasCalls: boolean }): ReactNode {
  const t = useTexts(texts);
  const { data: found } = useQuery({ queryKey: ['checklist'], queryFn: ({ signal }) => look(signal) });
  if (found === undefined) return null;
  const steps = [
    { name: 'provider', to: '/providers', search: { add: 'yes' }, isDone: found.provider !== null },
    // The form of the vendor lists what it offers.
    {
      name: 'model',
      to: found.provider === null ? '/models' : '/providers',
      search: found.provider === null ? {} : { open: found.provider },
      isDone: found.model !== null,
    },
    { name: 'grant', to: '/models', search: found.model === null ? {} : { open: found.model, tab: 'access' }, isDone: found.grant },
    { name: 'client', to: '/keys', search: { add: 'yes' }, isDone: found.key },
    { name: 'call', to: '/playground', search: {}, isDone: hasCalls },
  ] as const;
  if (steps.every(({ isDone }) => isDone)) return null;
  return (
    <Card size="small" title={t('checklist')} className="drawer-card">
      <Steps
        size="small"
        responsive
        items={steps.map(({ name, to, search, isDone }) => ({
          key: name,
          status: isDone ? 'finish' : 'wait',
          title: (
            <Link to={to} search={search} aria-label={`${t(`step.${name}`)}: ${t(isDone ? 'done' : 'open')}`}>
              {t(`step.${name}`)}
            </Link>
          ),
        }))}
      />
    </Card>
  );
}
