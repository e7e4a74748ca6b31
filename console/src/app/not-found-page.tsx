/** An address that no page has. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { EmptyState } from '../components/empty-state.tsx';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function NotFoundPage(): ReactNode {
  const t = useTexts(texts);
  return <EmptyState title={t('notFound')} action={<Link to="/">{t('toStart')}</Link>} />;
}
