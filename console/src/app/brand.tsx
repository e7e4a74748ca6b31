/** The name and the logo of the team, which the gateway writes into the page. Without them: those of Pailou. */
import type { ReactNode } from 'react';
import { consolePath } from '../api/client.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function useProductName(): string {
  const t = useTexts(texts);
  return document.documentElement.dataset['brand'] ?? t('product');
}

export function Logo({ size }: { readonly size: number }): ReactNode {
  const isOwn = document.documentElement.dataset['logo'] === 'own';
  return <img src={`${consolePath}${isOwn ? 'logo' : 'favicon.svg'}`} alt="" height={size} className="logo" />;
}
