/** What a walk of a stack needs to know about modules: where code lies, and what their unwind tables say. */
import { itemAt } from '../../base/list.ts';
import type { TraceImage } from '../model/trace.ts';
import type { UnwindTables } from '../unwind-files/files.ts';
import type { Surroundings } from './minidump-stack.ts';

/** `find` says in which of the images an address lies. */
export function surroundingsOf(
  images: TraceImage[],
  find: (address: bigint) => number | null,
  { windows, unwind }: { windows: boolean; unwind: UnwindTables },
): Surroundings {
  const isCode = (address: bigint): boolean => find(address) !== null;
  return {
    ...{ isCode, windows },
    byTables: (at, level, read) => {
      const image = find(at);
      const found = image === null ? undefined : itemAt(images, image);
      const table = found && unwind(found);
      if (!table || found.base === null) return undefined;
      return table.callerOf({
        ...{ offset: Number(at - BigInt(found.base)), registers: level.registers, read, isCode },
        calleeParameterBytes: level.parameterBytes,
        innermost: level.trust === 'context',
      });
    },
  };
}
