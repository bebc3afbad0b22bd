/** Unpacks what is inside a bundle under names that people can read. */
import { type Unpacked, unpackBundle } from '../bundle/extract/unpack.ts';

/** What is unpacked, and over what; every field may be left out. */
export interface ExtractBundleOptions {
  /** Patterns of the names that are wanted. Default: all. */
  only?: readonly string[] | undefined;
  /** Whether files that are there already are replaced. Default: no. */
  force?: boolean | undefined;
}

/** Unpacks the bundle at `path` into the folder `to`. */
export function extractBundle(
  path: string,
  to: string,
  { only = [], force = false }: ExtractBundleOptions = {},
): Promise<Unpacked> {
  return unpackBundle(path, to, [...only], force);
}
