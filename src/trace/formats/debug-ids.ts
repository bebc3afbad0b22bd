/** Ids of modules as Breakpad and its successors write them: a debug id for all, a code id beside it. */
import { present } from '../../base/list.ts';
import { elfIds, pdbId } from '../../objects/common/identity.ts';
import type { TraceImage } from '../model/trace.ts';

const DEBUG_ID = /^([0-9A-Fa-f]{32})([0-9a-fA-F]{1,8})$/;

/** By the system's name. The debug id has only 16 bytes of an ELF build-id and cannot be compared; the code id has all of them. */
export function moduleIds(system: string, debugId: string, codeId = ''): Pick<TraceImage, 'id' | 'debug_id'> {
  const [, digits, age] = DEBUG_ID.exec(debugId) ?? [];
  const guid = digits?.toUpperCase();
  const known = guid !== undefined && !/^0+$/.test(guid);
  const debug_id = known ? `${guid}${present(age).toLowerCase()}` : null;
  const code = codeId.toLowerCase();
  if (/^(?:Linux|Android)/.test(system))
    return /^(?:[0-9a-f]{2}){4,64}$/.test(code) ? elfIds(code) : { id: null, debug_id };
  if (/^(?:Mac|iOS)/.test(system)) return { id: known ? `macho:${guid.toLowerCase()}` : null, debug_id };
  if (!system.startsWith('Windows')) return { id: null, debug_id };
  if (known) return pdbId(guid, Number.parseInt(present(age), 16));
  return { id: /^[0-9a-f]{9,16}$/.test(code) ? `pe:${code}` : null, debug_id };
}
