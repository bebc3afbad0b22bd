/** Which version of its interface is spoken with an engine. */
import { Fault } from '../base/fault.ts';

/** The newest API the adapter was written against; an older engine's own maximum is used instead. */
const NEWEST_API = '1.47';
const OLDEST_API = '1.40';

/** The versions an engine says it speaks. */
export interface Offered {
  ApiVersion: string;
  MinAPIVersion?: string;
}

function compareVersions(a: string, b: string): number {
  const [a1 = 0, a2 = 0] = a.split('.').map(Number);
  const [b1 = 0, b2 = 0] = b.split('.').map(Number);
  return a1 - b1 || a2 - b2;
}

/** The engine's own maximum, at most the one the adapter knows; a Fault where there is none that both speak. */
export function apiVersionOf({ ApiVersion, MinAPIVersion }: Offered, address: string): string {
  const api = compareVersions(ApiVersion, NEWEST_API) < 0 ? ApiVersion : NEWEST_API;
  if (compareVersions(api, OLDEST_API) < 0 || compareVersions(api, MinAPIVersion ?? '1.12') < 0)
    throw new Fault(
      'engine_unreachable',
      `the engine at ${address} speaks API ${MinAPIVersion ?? '?'} to ${ApiVersion}; Reenact needs ${OLDEST_API} to ${NEWEST_API}`,
    );
  return api;
}
