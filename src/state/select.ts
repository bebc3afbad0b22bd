/** Which paths belong to the state: the manifest's include and exclude, and never what the engine itself writes. */
import { type RawPath, utf8 } from './final-state.ts';

/** Written by engines into every container, or mounted over; never the program's doing. */
const ENGINE_OWN =
  /^(?:dev|proc|sys)(?:\/|$)|^etc\/(?:hostname|hosts|resolv\.conf|mtab)$|^\.dockerenv$|^run\/\.containerenv$/;

/** Writable places that no capture sees; they are named in every record. */
export const UNCAPTURED: readonly string[] = [
  '/dev',
  '/dev/shm',
  '/dev/mqueue',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
];

/** A pattern as a regular expression: * within a folder, ** across folders; what lies below a match matches too. */
function patternOf(glob: string): RegExp {
  const body = glob
    .slice(1)
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return body === '' ? /^/ : new RegExp(`^${body}(?:/|$)`, 's');
}

/** True for paths that count, by include (all, when there is none) less exclude. */
export function selector(
  state: { include?: string[]; exclude?: string[] } | undefined,
): (raw: RawPath) => boolean {
  const include = (state?.include ?? []).map(patternOf);
  const exclude = (state?.exclude ?? []).map(patternOf);
  return (raw) => {
    if (ENGINE_OWN.test(raw)) return false;
    if (include.length === 0 && exclude.length === 0) return true;
    const text = utf8(raw) ?? raw;
    return (include.length === 0 || include.some((p) => p.test(text))) && !exclude.some((p) => p.test(text));
  };
}
