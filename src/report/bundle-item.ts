/** Something in a bundle, as its texts and views name it. */
import type { Digest } from '../base/digest.ts';

export interface BundleItem {
  /** What it is for. */
  role: string;
  sha256: Digest;
  size: number;
  name?: string;
}
