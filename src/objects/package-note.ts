/** The note that distributions leave in their programs (systemd, "Package Metadata for Executable Files"), strictly. */
import { isObject, parseJson } from '../base/json.ts';

export interface PackageNote {
  type: string;
  name: string;
  version: string;
  architecture: string | null;
  os: string | null;
  os_version: string | null;
  debug_info_url: string | null;
}

const LIMITS = { sizeBytes: 65_536, depth: 4 };
const MOST_CHARACTERS = 1024;

/** Null where it is not a JSON object, lacks type, name or version, or has a field that is not a short text. */
export function packageNote(text: string): PackageNote | null {
  const parsed = parseJson(Buffer.from(text), LIMITS);
  if (!parsed.ok || !isObject(parsed.value)) return null;
  const all = parsed.value;
  const of = (key: string): string | null | undefined => {
    if (!Object.hasOwn(all, key)) return null;
    const value = all[key];
    return typeof value === 'string' && value.length <= MOST_CHARACTERS ? value : undefined;
  };
  const [type, name, version] = [of('type'), of('name'), of('version')];
  const [architecture, os, os_version] = [of('architecture'), of('os'), of('osVersion')];
  const debug_info_url = of('debugInfoUrl');
  if (!type || !name || !version) return null;
  if (architecture === undefined || os === undefined) return null;
  if (os_version === undefined || debug_info_url === undefined) return null;
  return { type, name, version, architecture, os, os_version, debug_info_url };
}
