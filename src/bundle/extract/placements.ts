/** Which content of a bundle goes to which readable path, and which things are listed in a text because they cannot be files. */

import { type Digest, hexOf } from '../../base/digest.ts';
import { LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import { type FinalState, showPath } from '../../state/final-state.ts';
import { Names } from '../format/names.ts';
import { Refused } from '../format/refused.ts';
import type { Opened } from '../read/open.ts';
import { stateOf } from '../read/states.ts';

/** One file to be written. */
export interface Placement {
  sha256: Digest;
  sizeBytes: number;
  path: string;
}

/** The least space that a file or folder takes on a disk. */
const NAME_BYTES = 4096;

/** One line that cannot be mistaken for two, nor its parts for others. */
function told(path: string | undefined, hex: string | undefined): string {
  if (path?.includes(' -> ')) return JSON.stringify(path);
  return showPath({
    ...(path === undefined ? {} : { path }),
    ...(hex === undefined ? {} : { path_hex: hex }),
  });
}

/** Everything to unpack, by path; made only from lists in the bundle, so that --only changes no name. */
export class Placements {
  readonly files: Placement[] = [];
  /** Symbolic links of the state, as "path -> target": a link could lead anywhere. */
  readonly links: string[] = [];
  /** Names that could not be kept, by the path that stands for them. */
  readonly renamed: Map<string, string> = new Map();
  /** The paths of contents that the state names but that are not inside: left out or withheld. */
  readonly absent: string[] = [];
  /** False where the record names a state that is not inside, or is too large to read. */
  readonly stateShown: boolean;
  private readonly names = new Names();
  private readonly sizeOf: (sha256: Digest) => number | undefined;
  private readonly maxBytes: number;
  private totalBytes = 0;

  constructor(opened: Opened, sizeOf: (sha256: Digest) => number | undefined) {
    this.sizeOf = sizeOf;
    this.maxBytes = 2 * opened.sizeBytes + LIMITS.stateBytes;
    // All layers have the same name.
    for (const { role, sha256, name } of opened.document.items)
      this.add(role, role === 'image' && name === 'layer' ? undefined : name, sha256);
    const { final_state_sha256 } = opened.record;
    const state = stateOf(opened, final_state_sha256);
    if (state) this.addState(state);
    this.stateShown = state !== undefined || final_state_sha256 === null;
  }

  private addState(state: FinalState): void {
    for (const name of ['stdout', 'stderr'] as const) this.put(name, state[name].sha256);
    for (const change of state.files) {
      const { type, sha256, target, target_hex } = change;
      const name = change.path ?? Buffer.from(present(change.path_hex), 'hex').toString('utf8');
      if (type === 'file' && sha256) this.add('files', name, sha256, change.path_hex && showPath(change));
      if (type === 'symlink')
        this.links.push(`${told(change.path, change.path_hex)} -> ${told(target, target_hex)}`);
    }
  }

  private add(folder: string, name: string | undefined, sha256: Digest, shown = name): void {
    const path = this.names.place(folder, name ?? '', hexOf(sha256));
    // An absolute path is the same path below the folder.
    if (shown !== undefined && ![`${folder}/${shown}`, `${folder}${shown}`].includes(path))
      this.renamed.set(path, shown);
    this.put(path, sha256);
  }

  private put(path: string, sha256: Digest): void {
    const sizeBytes = this.sizeOf(sha256);
    if (sizeBytes === undefined) {
      this.absent.push(path);
      return;
    }
    this.totalBytes += sizeBytes;
    // One content under many names would let a small archive fill a disk.
    if (this.totalBytes + this.names.count * NAME_BYTES > this.maxBytes)
      throw new Refused(
        'manifest_form',
        `unpacked it would take more than ${this.maxBytes} bytes, which its own size does not explain`,
      );
    this.files.push({ path, sha256, sizeBytes });
  }
}
