/** Modules that a text names by their file's name alone: where two builds have one name, which of them a frame is in is not known. */
import { hex } from '../../base/hex.ts';
import { itemAt } from '../../base/list.ts';
import type { Frame, TraceImage } from '../model/trace.ts';

/** The last part of a path of Unix or Windows. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** The most modules of one name that are told apart; with more, none is chosen. */
const MOST_ALIKE = 64;

export class NamedModules {
  readonly images: TraceImage[] = [];
  private readonly byName = new Map<string, number[]>();

  /** Adds a module; its number. One that is there already, by path and ids, is not added again. */
  add(image: TraceImage): number {
    const name = baseName(image.path);
    const known = this.byName.get(name) ?? [];
    this.byName.set(name, known);
    const same = known.find((index) => {
      const { path, id, debug_id, base } = itemAt(this.images, index);
      return path === image.path && id === image.id && debug_id === image.debug_id && base === image.base;
    });
    if (same !== undefined) return same;
    const index = this.images.push(image) - 1;
    if (known.length <= MOST_ALIKE) known.push(index);
    return index;
  }

  /** Those of this name that are `offset` long at least. */
  private of(name: string, offset: bigint): number[] {
    const found = this.byName.get(baseName(name)) ?? [];
    const exact =
      name === baseName(name) ? [] : found.filter((index) => itemAt(this.images, index).path === name);
    return (exact.length > 0 ? exact : found).filter((index) => {
      const { size } = itemAt(this.images, index);
      return size === null || offset <= BigInt(size);
    });
  }

  /** Whether a module of this name was added. */
  has(name: string): boolean {
    return this.byName.has(baseName(name));
  }

  /**
   * Image and distance of an offset in the module of a name. Several modules of the same build count as one; of different
   * builds none is taken, and what the text says is kept as the claim, before what else it claims.
   */
  place(name: string, offset: bigint, claimed: string | null): Pick<Frame, 'image' | 'rel_addr' | 'claimed'> {
    const alike = this.byName.get(baseName(name))?.length ?? 0;
    const [first, ...others] = alike > MOST_ALIKE ? [] : this.of(name, offset);
    const build = (index: number): string => {
      const { id, debug_id, path } = itemAt(this.images, index);
      return id ?? debug_id ?? path;
    };
    if (first !== undefined && others.every((index) => build(index) === build(first)))
      return { image: first, rel_addr: hex(offset), claimed };
    const module = `${name}+${hex(offset)}`;
    return { image: null, rel_addr: null, claimed: claimed === null ? module : `${module} ${claimed}` };
  }
}
