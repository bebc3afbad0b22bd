/** Why a bundle was refused: a closed table of codes, and the error that carries one. */
import { EXIT, ReenactError } from '../../base/fault.ts';

export const BUNDLE_CODES = {
  tar_form: 'get the bundle again: this is not the form of archive that bundles have',
  not_a_bundle: 'name the bundle itself: reenact run --bundle and reenact bundle create write one',
  tar_name: 'do not unpack this file with other tools: its names are not those of a bundle',
  tar_truncated: 'get the bundle again: it ends too early',
  tar_trailing: 'do not trust this file: something was put after its end',
  member_unexpected: 'do not trust this file: it holds something that its index does not name',
  member_missing: 'get the bundle again: something that its index names is not there',
  blob_digest: 'do not trust this file: a content is not what its name says',
  manifest_form: 'get the bundle again: its index or manifest is not of the form of version 1',
  bag_mismatch: 'do not trust this file: its bag manifests do not fit its contents',
  content_missing: 'ask for a bundle that was made with that content',
  text_differs: 'do not read this report: it is not made of what is inside',
  record_differs: 'do not trust the record: it repeats its manifest or replays otherwise than they are',
  verdict_differs: 'do not trust the verdict: it does not follow from the recorded replays',
  image_differs: 'do not trust the record: its image is not the one its documents describe',
  trace_differs: 'do not trust this trace: it is not the one that its frames and its id are of',
  join_differs: 'do not trust the joined frames: they say more than trace, symbols and evidence inside prove',
  evidence_differs: 'do not trust the evidence record: verifying again came to something else',
  timestamp_unreadable:
    'give the authority’s reply as it came (DER), with its certificate: openssl ts -query -cert asks for that',
  timestamp_invalid: 'ask for a timestamp of this very bundle: this one proves nothing about it',
  policy_unmet:
    'a signer that your policy names must vouch for it (see reenact bundle custody add --help); without a policy of your own, the one inside counts',
  custody_broken: 'do not trust the chain of custody: it was changed after it was written',
} as const;

export type BundleCode = keyof typeof BUNDLE_CODES;

/** Thrown where reading cannot go on; other errors are collected. */
export class Refused extends ReenactError<BundleCode> {
  constructor(code: BundleCode, message: string, cause?: unknown) {
    super(code, message, { next: BUNDLE_CODES[code], exit: EXIT.rejected, cause });
    this.name = 'Refused';
  }
}
