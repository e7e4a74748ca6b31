/** A link that saves an answer of the gateway as a file. A browser sends no header with it, so there is none while an administrator views as another person. */
import type { ReactNode } from 'react';
import { gatewayPath } from '../api/client.ts';
import { ActButton } from './act-button.tsx';

interface DownloadButtonProps {
  /** The path of the gateway, such as `/api/usage?format=csv`. */
  readonly path: string;
  readonly icon: ReactNode;
  /** The name of the file, where the gateway gives none. */
  readonly name?: string;
  readonly children: ReactNode;
}

export function DownloadButton({ path, icon, name, children }: DownloadButtonProps): ReactNode {
  return (
    <ActButton icon={icon} href={gatewayPath + path.slice(1)} download={name ?? true}>
      {children}
    </ActButton>
  );
}
